// What has been on the screen, while somebody looked, is read.

import type { Virtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, type RefObject } from 'react';
import { useEngine } from '../model/use';
import type { View } from './useRoom';

export function useReading(view: View, virtualizer: Virtualizer<HTMLDivElement, Element>, scroller: RefObject<HTMLDivElement | null>) {
  const engine = useEngine();
  const now = useRef(view);
  now.current = view;

  // Marked as unread by hand, here or on another device: it stays so until the room is left or somebody comes back to it.
  const id = view.room.state.room;
  const markOf = useCallback(() => engine.client.rooms.all.get(id)?.state.unread_from ?? null, [engine, id]);
  const marked = useRef(markOf());
  const paused = useRef(false);

  const read = useCallback(() => {
    const { room, rows, span, opened, atHead } = now.current;
    const mark = markOf();
    if (mark !== marked.current) paused.current = mark !== null;
    marked.current = mark;
    const element = scroller.current;
    if (paused.current || !opened || !span || !element || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const bottom = element.scrollTop + element.clientHeight + 8;
    const item = virtualizer.getVirtualItems().findLast((each) => each.end <= bottom || (each.start < bottom - 40 && each.end - each.start > element.clientHeight));
    const last = rows.slice(0, (item?.index ?? -1) + 1).findLast((row) => row.kind === 'message' || row.kind === 'system');
    if (!last || !('event' in last)) return;
    const newest = span.events.at(-1)!;
    const seen = atHead && item && rows.slice(item.index + 1).every((row) => 'event' in row && row.event.seq > newest.seq) ? newest : last.event;
    if (seen.seq <= newest.seq) engine.client.read(room.state.room, seen.seq, seen.ordinal);
  }, [engine, virtualizer, scroller, markOf]);

  useEffect(() => {
    const again = () => { marked.current = markOf(); paused.current = false; read(); };
    addEventListener('focus', again);
    document.addEventListener('visibilitychange', again);
    return () => { removeEventListener('focus', again); document.removeEventListener('visibilitychange', again); };
  }, [read, markOf]);

  return read;
}
