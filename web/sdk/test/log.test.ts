// The one equation of a client: applying what comes, in whatever order it comes, to whatever is known, gives what is.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apply, contiguousSeq, EMPTY_LOG, lastOf, liveSpan, marksOf, mergePage, missing, noteHead, trim, type RoomLog } from '../src/log';
import { isPinned, standing } from '../src/marks';
import type { Event } from '../src/types';
import { journal, page } from './world';

const steps = fc.array(fc.record({ kind: fc.nat(9), who: fc.nat(4), what: fc.nat(50) }), { minLength: 1, maxLength: 120 });

/** What a person sees of the events that are known. */
function view(log: RoomLog): unknown {
  return log.spans.map((span) => ({
    from: span.from,
    rows: span.events.map((event) => {
      const marks = marksOf(log, event.seq);
      const text = event.body !== 'erased' && 'message' in event.body ? (marks.edits.at(-1)?.text ?? event.body.message.text) : null;
      const reactions = standing(marks).map(({ emoji, users }) => [emoji, users.toSorted()]).toSorted();
      return { seq: event.seq, deleted: marks.deleted !== null, text: marks.deleted ? null : text, pinned: isPinned(marks), reactions };
    }),
  }));
}

const fresh = (all: Event[]): RoomLog => mergePage(EMPTY_LOG, page(all, 1, all.length, all.length));

test('events applied one by one to a stale log give what a fresh page gives', () => {
  fc.assert(fc.property(steps, fc.nat(), (made, cut) => {
    const all = journal(made);
    const known = 1 + (cut % all.length);
    let log = mergePage(EMPTY_LOG, page(all, 1, known, known));
    for (const event of all.slice(known)) log = apply(log, event);
    expect(view(log)).toEqual(view(fresh(all)));
    expect([log.head, log.ordinal, contiguousSeq(log)]).toEqual([all.length, all.at(-1)!.ordinal, all.length]);
  }));
});

test('pages and live events in any order, some twice, give what a fresh page gives', () => {
  const pieces = fc.array(fc.tuple(fc.nat(), fc.nat(40), fc.nat()), { maxLength: 30 });
  fc.assert(fc.property(steps, pieces, fc.nat(), (made, asked, start) => {
    const all = journal(made);
    let head = 1 + (start % all.length);
    let log = noteHead(EMPTY_LOG, head, all[head - 1]!.ordinal);
    for (const [from, size, live] of asked) {
      for (let n = live % 4; n > 0 && head < all.length; n--) log = apply(log, all[head++]!);
      const first = 1 + (from % head);
      log = mergePage(log, page(all, first, Math.min(head, first + size), head));
    }
    while (head < all.length) log = apply(log, all[head++]!);
    const before = log.spans.map((span) => [span.from, lastOf(span)]);
    for (let at = 1; at <= all.length; at += 17) log = mergePage(log, page(all, at, Math.min(all.length, at + 16), all.length));
    expect(view(log)).toEqual(view(fresh(all)));
    expect(before.every(([from, to]) => from! <= to!)).toBe(true);
  }));
});

test('spans stay apart, rise, and hold exactly the events of their numbers', () => {
  fc.assert(fc.property(steps, fc.array(fc.tuple(fc.nat(), fc.nat(30)), { maxLength: 12 }), (made, asked) => {
    const all = journal(made);
    let log = EMPTY_LOG;
    for (const [from, size] of asked) {
      const first = 1 + (from % all.length);
      log = mergePage(log, page(all, first, Math.min(all.length, first + size), all.length));
    }
    let end = -1;
    for (const span of log.spans) {
      expect(span.from).toBeGreaterThan(end + 1);
      span.events.forEach((event, i) => expect(event.seq).toBe(span.from + i));
      end = lastOf(span);
    }
  }));
});

test('a gap is seen, named and filled', () => {
  const all = journal(Array.from({ length: 60 }, (_, n) => ({ kind: 0, who: n, what: n })));
  let log = mergePage(EMPTY_LOG, page(all, 1, 10, 10));
  log = noteHead(log, 61, 60);
  expect(missing(log)).toEqual({ from: 11, to: 61 });
  expect(liveSpan(log)).toBeNull();
  log = mergePage(log, page(all, 40, 61, 61));
  expect(log.spans).toHaveLength(2);
  expect(liveSpan(log)?.from).toBe(40);
  log = mergePage(log, page(all, 11, 39, 61));
  expect(log.spans).toHaveLength(1);
  expect(missing(log)).toBeNull();
});

test('an event that comes twice changes nothing, not even the value', () => {
  const all = journal([{ kind: 0, who: 1, what: 1 }, { kind: 6, who: 1, what: 1 }]);
  const log = fresh(all);
  for (const event of all) expect(apply(log, event)).toBe(log);
});

test('an erasure that comes with a later page wins over what was known', () => {
  const all = journal([{ kind: 0, who: 1, what: 1 }, { kind: 0, who: 1, what: 2 }]);
  const erased = all.map((event) => (event.seq === 2 ? { ...event, body: 'erased' as const } : event));
  const log = mergePage(fresh(all), page(erased, 1, 3, 3));
  expect(log.spans[0]!.events[1]!.body).toBe('erased');
});

test('a log never holds more than it may, and keeps what is looked at', () => {
  const all = journal(Array.from({ length: 300 }, (_, n) => ({ kind: 0, who: n, what: n })));
  const log = trim(fresh(all), 100, 150);
  expect(log.spans.reduce((sum, span) => sum + span.events.length, 0)).toBe(100);
  expect(log.spans.some((span) => span.from <= 150 && 150 <= lastOf(span))).toBe(true);
  expect(log.head).toBe(301);
});
