// One message at a time is in the tab order; arrows move it, letters act on it. The mouse shows the tools of what it is over.

import type { Virtualizer } from '@tanstack/react-virtual';
import { useCallback, useMemo, useRef, useState, type RefObject } from 'react';
import type { Row } from '../model/rows';
import { useActions } from './actions';

export function useRoving(rows: readonly Row[], virtualizer: Virtualizer<HTMLDivElement, Element>, scroller: RefObject<HTMLDivElement | null>) {
  const actions = useActions();
  const [chosen, setChosen] = useState<string | null>(null);
  const [hover, setHover] = useState<string | null>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const now = useRef(rows);
  now.current = rows;
  const last = rows.findLast((row) => row.kind === 'message')?.key ?? null;
  const active = chosen && rows.some((row) => row.key === chosen) ? chosen : last;

  const move = useCallback((from: string, by: 1 | -1) => {
    const all = now.current;
    let index = all.findIndex((row) => row.key === from) + by;
    while (all[index] && all[index]!.kind !== 'message') index += by;
    const next = all[index];
    if (!next) return;
    setChosen(next.key);
    virtualizer.scrollToIndex(index, { align: 'auto' });
    const focus = () => scroller.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(next.key)}"]`)?.focus({ preventScroll: true });
    focus();
    // A row that comes into the page with the scrolling gets it then, unless the person went elsewhere meanwhile.
    requestAnimationFrame(() => { if (scroller.current?.contains(document.activeElement)) focus(); });
  }, [virtualizer, scroller]);

  const handlers = useMemo(() => ({
    onKeyDown(event: React.KeyboardEvent) {
      const element = event.target as HTMLElement;
      const key = element.dataset.key;
      if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
      const row = now.current.find((each) => each.key === key);
      if (row?.kind !== 'message') return;
      const box = element.getBoundingClientRect();
      const act: Record<string, () => void> = {
        ArrowUp: () => move(key, -1), ArrowDown: () => move(key, 1), Enter: () => actions.show('menu', row.event, box),
        r: () => actions.reply(row.event), e: () => actions.show('emoji', row.event, box), p: () => actions.pin(row.event, true),
      };
      if (!act[event.key]) return;
      event.preventDefault();
      act[event.key]!();
    },
    onPointerOver(event: React.PointerEvent) {
      if (event.pointerType === 'mouse') setHover((event.target as HTMLElement).closest<HTMLElement>('[data-key]')?.dataset.key ?? null);
    },
    onPointerLeave: () => setHover(null),
    onFocus(event: React.FocusEvent) {
      const key = (event.target as HTMLElement).closest<HTMLElement>('[data-key]')?.dataset.key;
      if (key) { setChosen(key); setFocused(key); }
    },
    // On the way to its own tools a message keeps them: gone in between, they would take the focus with them.
    onBlur(event: React.FocusEvent) {
      const to = event.relatedTarget?.closest<HTMLElement>('[data-key]')?.dataset.key;
      if (!to) setFocused(null);
    },
  }), [actions, move]);
  return { active, tools: hover ?? focused, handlers };
}
