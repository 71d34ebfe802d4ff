// The messages, virtual: only what is near the window is in the page. It stays still when history comes above, follows the end when one is there.

import { lastOf, type Event } from '@hubbub/sdk';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type Ref } from 'react';
import { Icon } from '../components/Icon';
import { END_PX, isAtEnd } from '../model/follow';
import { marksWith } from '../model/overlay';
import type { Row } from '../model/rows';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import { MessageRow } from './MessageRow';
import { DayLine, NewLine, StartOfRoom, SystemLine } from './lines';
import { spotOf, useFollow, useOwnScroll } from './useFollow';
import { useReading } from './useReading';
import { useRoving } from './useRoving';
import type { Place, View } from './useRoom';
import { countOf, say } from '../words';

export interface ListHandle { toEnd(): void }

const NEAR_ROWS = 14;
/** Rows are measured as they come; by then the list stands where it was put. */
const SETTLE_FRAMES = 5;
const GUESS: Record<Row['kind'], number> = { start: 150, day: 40, new: 28, system: 32, message: 58 };

export function MessageList({ ref, view, place, onLatest }: { ref: Ref<ListHandle>; view: View; place: Place | null; onLatest: () => void }) {
  const engine = useEngine();
  const me = useApp((state) => state.me);
  const id = view.room.state.room;
  const { rows, span, atHead, opened } = view;
  const scroller = useRef<HTMLDivElement>(null);
  const [flash, setFlash] = useState<number | null>(null);
  /** The list stands where it opens; from then on it may follow what comes. */
  const [settled, setSettled] = useState(false);
  const [loading, setLoading] = useState<'before' | 'after' | null>(null);
  const indexOf = useCallback((seq: number) => rows.findIndex((row) => (row.kind === 'message' || row.kind === 'system') && row.event.seq >= seq), [rows]);

  const { follow, placing, scrollToFn } = useOwnScroll();
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: opened ? rows.length : 0,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => guess(rows[index]),
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: 'end',
    scrollEndThreshold: END_PX,
    scrollToFn,
    overscan: 10,
    paddingStart: 12,
    paddingEnd: 4,
    useFlushSync: false,
  });

  const latest = useRef({ rows, indexOf });
  latest.current = { rows, indexOf };

  const placed = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (!opened || rows.length === 0 || placed.current === (place?.id ?? 0)) return;
    const first = placed.current === null;
    if (place && span && (place.seq < span.from || place.seq > lastOf(span))) return;
    // Sent on to the latest, maybe before it stood: nothing puts it there any more.
    if (!place && !first) { placed.current = 0; placing.current = false; return setSettled(true); }
    const index = place ? indexOf(place.seq) : -1;
    if (place && index < 0) return;
    placed.current = place?.id ?? 0;
    setSettled(false);
    placing.current = true;
    if (place) follow.toPlace(); else follow.toEnd();
    // Rows that are measured on the way, and news that come meanwhile, move the list: it is put there until it stands.
    const [id, align] = [placed.current, place?.flash ? 'center' : 'start'] as const;
    const put = () => {
      if (placed.current !== id) return;
      if (!place) return virtualizer.scrollToEnd();
      // A page that was on its way may have come above it: where it stands is looked up each time.
      const { rows: now, indexOf: find } = latest.current;
      const at = find(place.seq);
      virtualizer.scrollToIndex(!place.flash && now[at - 1]?.kind === 'new' ? at - 1 : at, { align });
    };
    const settle = () => {
      if (placed.current !== id) return;
      placing.current = false;
      if (place && scroller.current) follow.rest(spotOf(scroller.current));
      setSettled(true);
    };
    put();
    forFrames(SETTLE_FRAMES, put, settle);
    if (place?.flash) setFlash(place.seq);
  }, [opened, rows, span, place, indexOf, virtualizer, follow, placing]);

  const toEnd = useCallback(() => { follow.toEnd(); requestAnimationFrame(() => virtualizer.scrollToEnd()); }, [follow, virtualizer]);
  const read = useReading(view, virtualizer, scroller);
  useImperativeHandle(ref, () => ({ toEnd }), [toEnd]);

  const items = virtualizer.getVirtualItems();
  const [firstIndex, lastIndex] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => {
    if (!opened || !settled || !span || loading || items.length === 0) return;
    const from = span.from;
    const query = firstIndex < NEAR_ROWS && from > 1 ? ({ before: from } as const) : lastIndex > rows.length - NEAR_ROWS && lastOf(span) < view.room.log.head ? ({ after: lastOf(span) } as const) : null;
    if (!query) return;
    setLoading('before' in query ? 'before' : 'after');
    void engine.page(id, query, 'before' in query ? from : lastOf(span)).catch(() => new Promise((resolve) => setTimeout(resolve, 1_500))).finally(() => setLoading(null));
  }, [engine, id, opened, settled, span, loading, firstIndex, lastIndex, rows.length, items.length, view.room.log.head]);

  const [end, setEnd] = useState(true);
  const look = useFollow(follow, placing, virtualizer, scroller);
  const onScroll = useCallback(() => {
    look();
    if (scroller.current) setEnd(isAtEnd(spotOf(scroller.current)));
    if (!placing.current) read();
  }, [look, placing, read]);
  const size = virtualizer.getTotalSize();
  useLayoutEffect(() => { if (follow.on && settled && atHead) virtualizer.scrollToEnd(); }, [virtualizer, follow, settled, atHead, rows.length, size]);
  useEffect(() => { onScroll(); }, [onScroll, rows.length, opened, settled, view.room.log.head]);

  const { active, tools, handlers } = useRoving(rows, virtualizer, scroller);
  const waiting = Math.max(0, Math.max(view.room.log.ordinal, view.room.state.ordinal) - view.room.state.read_ordinal);
  const style = useMemo(() => ({ height: size }), [size]);
  return (
    <div className="relative min-h-0 flex-1">
      {loading === 'before' && <p role="status" className="pulse pointer-events-none absolute inset-x-0 top-2 z-10 text-center text-xs text-ink-3">{say('list.loading')}</p>}
      <div ref={scroller} role="log" aria-label={say('list.messages')} aria-live="off" tabIndex={-1} onScroll={onScroll} {...handlers} className="flex h-full flex-col overflow-x-hidden overflow-y-auto [overflow-anchor:none]">
        {!opened && <ListSkeleton />}
        <div className="relative mt-auto w-full shrink-0" style={style}>
          {items.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            return (
              <div key={item.key} data-index={item.index} ref={virtualizer.measureElement} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${item.start}px)` }}>
                <One row={row} view={view} me={me} active={row.key === active} tools={row.key === tools} flash={row.kind === 'message' && row.event.seq === flash} />
              </div>
            );
          })}
        </div>
      </div>
      {opened && (!end || !atHead) && (
        <button type="button" onClick={() => { onLatest(); toEnd(); }} className="btn btn-quiet absolute end-5 bottom-3 z-10 rounded-full pe-3 shadow-float">
          <span className="sr-only">{waiting > 0 ? say('list.jumpNew', { count: waiting }) : say('list.jump')}</span>
          {waiting > 0 && <b aria-hidden="true" data-jump-count className="rounded-full bg-loud px-1.5 text-xs leading-5 text-loud-ink tabular-nums">{countOf(waiting, 999)}</b>}
          <span aria-hidden="true">{say('list.latest')}</span><Icon name="down" size={18} />
        </button>
      )}
    </div>
  );
}

function One({ row, view, me, active, tools, flash }: { row: Row; view: View; me: string; active: boolean; tools: boolean; flash: boolean }) {
  switch (row.kind) {
    case 'start': return <StartOfRoom view={view} />;
    case 'day': return <DayLine at={row.at} />;
    case 'new': return <NewLine />;
    case 'system': return <SystemLine event={row.event} more={row.more} me={me} />;
    case 'message': {
      const { event } = row;
      const pending = view.pending.get(row.key);
      return <MessageRow event={event} first={row.first} mine={event.user === me} me={me} pending={pending?.entry ?? null} marks={marksWith(view.room, view.marks, event.seq)} reply={replyOf(event)} active={active} tools={tools} flash={flash} room={view.room.state.room} kind={view.room.state.kind} />;
    }
  }
}

const forFrames = (frames: number, each: () => void, then: () => void): void => { if (frames <= 0) then(); else requestAnimationFrame(() => { each(); forFrames(frames - 1, each, then); }); };

const replyOf = (event: Event): number | null => (event.body !== 'erased' && 'message' in event.body ? (event.body.message.reply ?? null) : null);

function guess(row: Row | undefined): number {
  if (row?.kind !== 'message') return GUESS[row?.kind ?? 'message'];
  const text = row.event.body !== 'erased' && 'message' in row.event.body ? row.event.body.message.text : '';
  const lines = Math.max(1, text.split('\n').length, Math.ceil(text.length / 95));
  return lines * 23 + (row.first ? 34 : 6);
}

function ListSkeleton() {
  return (
    <div role="status" aria-label={say('loading')} className="mt-auto space-y-5 px-5 pb-6 md:px-7">
      {[60, 42, 75, 50, 66].map((width) => (
        <div key={width} className="pulse flex gap-3"><i className="size-9 rounded-lg bg-pressed" /><span className="flex-1 space-y-2 pt-1"><i className="block h-3 w-28 rounded bg-pressed" /><i className="block h-3 rounded bg-pressed" style={{ width: `${width}%` }} /></span></div>
      ))}
    </div>
  );
}
