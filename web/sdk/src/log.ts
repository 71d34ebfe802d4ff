// A room's log as far as a client knows it: spans of contiguous events, and what was said about messages. Pure.
// The rule: subscribe first, then fill the gap, then merge by seq. Every function returns a new log and leaves the old one as it was.

import { mark, NO_MARKS, targetOf, type Marks } from './marks';
import type { Event, Page } from './types';

/** Events `from ..= from + events.length - 1`, none missing. */
export interface Span { readonly from: number; readonly events: readonly Event[] }

export interface RoomLog {
  /** The newest seq that is known to exist, and messages up to it. */
  readonly head: number;
  readonly ordinal: number;
  /** Rising, with holes in between. */
  readonly spans: readonly Span[];
  readonly marks: ReadonlyMap<number, Marks>;
}

export const EMPTY_LOG: RoomLog = { head: 0, ordinal: 0, spans: [], marks: new Map() };

export const lastOf = (span: Span): number => span.from + span.events.length - 1;

/** The span that ends at the head: what is followed live. */
export function liveSpan(log: RoomLog): Span | null {
  const last = log.spans.at(-1);
  return last && lastOf(last) >= log.head ? last : null;
}

/** Everything from here on is known: what `hello.resume` may claim. 0: nothing. */
export const contiguousSeq = (log: RoomLog): number => {
  const last = log.spans.at(-1);
  return last ? lastOf(last) : 0;
};

export const spanAt = (log: RoomLog, seq: number): Span | null =>
  log.spans.find((span) => span.from <= seq && seq <= lastOf(span)) ?? null;

export const eventAt = (log: RoomLog, seq: number): Event | null => {
  const span = spanAt(log, seq);
  return span ? span.events[seq - span.from]! : null;
};

export const marksOf = (log: RoomLog, seq: number): Marks => log.marks.get(seq) ?? NO_MARKS;

/** One event, live or late. A hole before it stays a hole: `missing` names it. */
export function apply(log: RoomLog, event: Event): RoomLog {
  return mergeEvents(log, [event], [], event.seq, event.ordinal);
}

/** A page of history, wherever it lies. */
export function mergePage(log: RoomLog, page: Page): RoomLog {
  return mergeEvents(log, page.events, page.marks, page.head, page.ordinal);
}

/** The node said how far the room is; nothing is known of what is in between. */
export function noteHead(log: RoomLog, head: number, ordinal: number): RoomLog {
  return head > log.head ? { ...log, head, ordinal: Math.max(ordinal, log.ordinal) } : log;
}

/** What lies between the newest known event and the head, or null. */
export function missing(log: RoomLog): { from: number; to: number } | null {
  const known = contiguousSeq(log);
  return known < log.head ? { from: known + 1, to: log.head } : null;
}

/** Keeps at most `max` events: the live end, and the span around `keep`; the rest is forgotten, marks too. */
export function trim(log: RoomLog, max: number, keep: number): RoomLog {
  const total = log.spans.reduce((sum, span) => sum + span.events.length, 0);
  if (total <= max) return log;
  const kept: Span[] = [];
  let room = max;
  const wanted = [...log.spans].sort((a, b) => distance(a, keep) - distance(b, keep));
  for (const span of wanted) {
    if (room <= 0) break;
    const cut = span.events.length <= room ? span : cutAround(span, room, keep);
    kept.push(cut);
    room -= cut.events.length;
  }
  kept.sort((a, b) => a.from - b.from);
  const known = (seq: number) => kept.some((span) => span.from <= seq && seq <= lastOf(span));
  return { ...log, spans: kept, marks: new Map([...log.marks].filter(([target]) => known(target))) };
}

const distance = (span: Span, seq: number): number => (seq < span.from ? span.from - seq : Math.max(0, seq - lastOf(span)));

function cutAround(span: Span, size: number, keep: number): Span {
  const start = Math.max(0, Math.min(span.events.length - size, keep - span.from - Math.floor(size / 2)));
  return { from: span.from + start, events: span.events.slice(start, start + size) };
}

function mergeEvents(log: RoomLog, events: readonly Event[], later: readonly Event[], head: number, ordinal: number): RoomLog {
  const spans = events.length > 0 ? insert(log.spans, { from: events[0]!.seq, events }) : log.spans;
  const marks = markAll(log.marks, events, later);
  const top = events.at(-1);
  const newest = Math.max(log.head, head, top?.seq ?? 0);
  const messages = Math.max(log.ordinal, ordinal, top?.ordinal ?? 0);
  if (spans === log.spans && marks === log.marks && newest === log.head && messages === log.ordinal) return log;
  return { head: newest, ordinal: messages, spans, marks };
}

function markAll(marks: ReadonlyMap<number, Marks>, ...lists: readonly (readonly Event[])[]): ReadonlyMap<number, Marks> {
  let next: Map<number, Marks> | null = null;
  for (const event of lists.flat()) {
    const target = targetOf(event);
    if (target === null) continue;
    const before = (next ?? marks).get(target) ?? NO_MARKS;
    const after = mark(before, event);
    if (after !== before) (next ??= new Map(marks)).set(target, after);
  }
  return next ?? marks;
}

/** Puts a run of contiguous events in; what touches or overlaps becomes one. Known events win: they never change. */
function insert(spans: readonly Span[], added: Span): readonly Span[] {
  const end = lastOf(added);
  const around = spans.find((span) => span.from <= added.from && end <= lastOf(span));
  if (around) return around.events.some((event, i) => isErasure(event, added, around.from + i)) ? spans.map((span) => (span === around ? replace(span, added) : span)) : spans;
  const before = spans.filter((span) => lastOf(span) + 1 < added.from);
  const after = spans.filter((span) => span.from > end + 1);
  const touching = spans.slice(before.length, spans.length - after.length);
  let joined: Span | null = null;
  for (const span of [...touching, added].sort((a, b) => a.from - b.from)) joined = joined ? join(joined, span) : span;
  return [...before, joined!, ...after];
}

/** Invariant: `b` starts inside of `a` or right behind it. */
function join(a: Span, b: Span): Span {
  const overlap = lastOf(a) - b.from + 1;
  return overlap >= b.events.length ? a : { from: a.from, events: a.events.concat(b.events.slice(Math.max(0, overlap))) };
}

const isErasure = (known: Event, added: Span, seq: number): boolean => {
  const event = added.events[seq - added.from];
  return event !== undefined && event.body === 'erased' && known.body !== 'erased';
};

const replace = (span: Span, added: Span): Span => ({
  from: span.from,
  events: span.events.map((event, i) => (isErasure(event, added, span.from + i) ? added.events[span.from + i - added.from]! : event)),
});
