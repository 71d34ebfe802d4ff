// Who is at the end of the list stays there, until they go up: hears what a person does to the list, and keeps it at its end meanwhile.
// What it means is decided in `model/follow`.

import { elementScroll, type Virtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { Follow, type Spot } from '../model/follow';

export type List = Virtualizer<HTMLDivElement, Element>;

/** After the last of what somebody does, and of what it moves. */
const REST_MS = 200;
/** Under a finger the list is left alone; not for longer, since of one whose message went away nothing more is heard. */
const FINGER_MS = 10_000;
/** A finger that only rests moves too. */
const TREMBLE_PX = 4;
const UP_KEYS = new Set(['ArrowUp', 'PageUp', 'Home']);

export const spotOf = ({ scrollTop, scrollHeight, clientHeight }: HTMLElement): Spot => ({ top: scrollTop, total: scrollHeight, window: clientHeight });

/** The one way by which the virtual list scrolls: so it is known what was moved by nobody else. */
export function useOwnScroll() {
  const [follow] = useState(() => new Follow());
  /** It is being put somewhere: that it still is at the end means nothing. */
  const placing = useRef(false);
  const [scrollToFn] = useState(() => (offset: number, options: { adjustments?: number; behavior?: ScrollBehavior }, list: List) => {
    const element = list.scrollElement;
    if (element && !placing.current) follow.seen(spotOf(element));
    elementScroll(offset, options, list);
    if (element) follow.put(spotOf(element));
  });
  return { follow, placing, scrollToFn };
}

export function useFollow(follow: Follow, placing: RefObject<boolean>, list: List, scroller: RefObject<HTMLDivElement | null>): () => void {
  const seen = useRef(() => {});
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let finger: number | null = null;
    let held = false;
    let fingerSince = 0;
    const rest = () => {
      if (placing.current || (finger !== null && performance.now() - fingerSince < FINGER_MS)) return later();
      timer = undefined;
      if (follow.rest(spotOf(element))) list.scrollToEnd();
    };
    const later = () => { clearTimeout(timer); timer = setTimeout(rest, REST_MS); };
    const up = () => {
      if (element.scrollTop <= 0) return;
      follow.up();
      list.cancelScroll();
      later();
    };
    const down = () => { clearTimeout(timer); timer = undefined; follow.down(); };
    seen.current = () => {
      // Browsers tell little of a finger that scrolls; the list says it.
      if (held || (finger !== null && follow.wentUp(spotOf(element)))) up();
      if (timer !== undefined) later();
      if (!placing.current) follow.seen(spotOf(element));
    };
    const heard: { [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void } = {
      wheel(event) {
        if (event.ctrlKey || event.deltaY === 0 || takesWheel(event.target as Element, element, event.deltaY)) return;
        if (event.deltaY < 0) up(); else down();
      },
      touchstart(event) { finger = event.touches[0]!.clientY; fingerSince = performance.now(); up(); },
      touchmove(event) {
        const { clientY } = event.touches[0]!;
        if (finger === null || Math.abs(clientY - finger) <= TREMBLE_PX) return;
        if (clientY > finger) up(); else down();
        finger = clientY;
      },
      touchend(event) { finger = event.touches[0]?.clientY ?? null; },
      touchcancel() { finger = null; },
      keydown(event) { if (UP_KEYS.has(event.key) || (event.key === ' ' && event.shiftKey)) up(); },
      // On the list itself and not in its window: that is its scrollbar.
      pointerdown(event) { held = event.pointerType === 'mouse' && event.target === element && (event.offsetX < 0 || event.offsetX >= element.clientWidth); },
    };
    const letGo = (event: PointerEvent) => { if (event.buttons === 0) held = false; };
    const windowChanged = new ResizeObserver(() => { if (follow.on && !placing.current) list.scrollToEnd(); });
    for (const [name, hear] of Object.entries(heard)) element.addEventListener(name, hear as EventListener, { passive: true });
    for (const name of ['pointerup', 'pointercancel', 'pointermove'] as const) addEventListener(name, letGo);
    // A keyboard comes up, a draft grows: who is at the end stays there.
    windowChanged.observe(element);
    return () => {
      clearTimeout(timer);
      for (const [name, hear] of Object.entries(heard)) element.removeEventListener(name, hear as EventListener);
      for (const name of ['pointerup', 'pointercancel', 'pointermove'] as const) removeEventListener(name, letGo);
      windowChanged.disconnect();
    };
  }, [follow, placing, list, scroller]);
  return useRef(() => seen.current()).current;
}

/** Something in the list (a long piece of code) that the wheel scrolls instead of the list. */
function takesWheel(from: Element, list: Element, deltaY: number): boolean {
  for (let each: Element | null = from; each && each !== list; each = each.parentElement) {
    const room = deltaY < 0 ? each.scrollTop : each.scrollHeight - each.clientHeight - each.scrollTop;
    if (room > 1 && /auto|scroll/.test(getComputedStyle(each).overflowY)) return true;
  }
  return false;
}
