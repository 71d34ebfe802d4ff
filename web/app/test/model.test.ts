// What the screens are made from: rows of a log, what is pending over it, names in a text being written.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY_LOG, mergePage, type Entry, type Event, type EventBody } from '@hubbub/sdk';
import { completing, fromWire, score, toWire } from '../src/model/compose';
import { listed, withMember } from '../src/model/members';
import { pendingMarks, pendingPosts } from '../src/model/overlay';
import { pinsOf } from '../src/model/pins';
import { rowsOf, type Row } from '../src/model/rows';

const [ANN, BEN] = ['0190a000-0000-7000-8000-00000000000a', '0190a000-0000-7000-8000-00000000000b'];
const NOON = new Date(2026, 4, 5, 12).getTime();
const event = (seq: number, user: string, body: EventBody, at = NOON + seq * 1000): Event => ({ room: 'r', seq, ordinal: seq, at, user, cmid: `c${seq}`, body });
const said = (seq: number, user: string, at?: number) => event(seq, user, { message: { text: `text ${seq}` } }, at);
const kinds = (rows: readonly Row[]) => rows.map((row) => (row.kind === 'message' ? (row.first ? 'first' : 'next') : row.kind));

test('messages of one sender within five minutes are one group; a day begins with a line', () => {
  const day = 24 * 3600_000;
  const rows = rowsOf([said(1, ANN), said(2, ANN), said(3, BEN), said(4, BEN, NOON + 10 * 60_000), said(5, BEN, NOON + day)], null, ANN).rows;
  expect(kinds(rows)).toEqual(['start', 'day', 'first', 'next', 'first', 'first', 'day', 'first']);
});

test('the "New" line stands before the first unread message of somebody else, once', () => {
  expect(kinds(rowsOf([said(1, BEN), said(2, ANN), said(3, BEN), said(4, BEN)], 2, ANN).rows)).toEqual(['start', 'day', 'first', 'first', 'new', 'first', 'next']);
});

test('rows that grow one by one are the rows that are made at once', () => {
  const made = fc.array(fc.record({ who: fc.constantFrom(ANN, BEN), kind: fc.nat(4), gap: fc.nat(90_000_000) }), { maxLength: 60 });
  fc.assert(fc.property(made, fc.nat(60), (steps, from) => {
    let at = NOON;
    const events = steps.map(({ who, kind, gap }, i) => {
      at += gap;
      const body: EventBody = kind === 0 ? { member: { user: kind ? ANN : BEN, role: 'member', members: 2 } } : kind === 1 ? { react: { target: 1, emoji: 'x', on: true } } : { message: { text: 'x' } };
      return event(i + 1, who, body, at);
    });
    const whole = rowsOf(events, from, ANN);
    let grown = rowsOf(events.slice(0, 1), from, ANN);
    for (let n = 2; n <= events.length; n++) grown = rowsOf(events.slice(0, n), from, ANN, grown);
    if (events.length > 0) expect(grown.rows).toEqual(whole.rows);
  }));
});

test('people who are added one after the other are one line', () => {
  const added = (seq: number) => event(seq, ANN, { member: { user: `u${seq}`, role: 'member', members: seq } });
  const rows = rowsOf([said(1, BEN), added(2), added(3), added(4), said(5, BEN)], null, BEN).rows;
  expect(kinds(rows)).toEqual(['start', 'day', 'first', 'system', 'first']);
});

test('what is pending is shown until its event is known, never beside it', () => {
  const entry = (cmid: string, act: Entry['act'], more: Partial<Entry> = {}): Entry => ({ cmid, room: 'r', act, at: 1, after: null, state: 'queued', ...more });
  const entries = [entry('a', { post: { text: 'a' } }), entry('b', { post: { text: 'b' } }, { state: 'acked', seq: 7 }), entry('c', { react: { target: 3, emoji: 'x', on: true } })];
  expect(pendingPosts(entries, 'r', ANN, (seq) => seq === 7).map((each) => each.event.cmid)).toEqual(['a']);
  expect(pendingPosts(entries, 'r', ANN, () => false).map((each) => each.event.cmid)).toEqual(['a', 'b']);
  expect([...pendingMarks(entries, 'r', ANN).keys()]).toEqual([3]);
});

test('names become ids on the wire and come back as names', () => {
  const people = { [ANN]: { id: ANN, name: 'ann', display: 'Ann', admin: false, status: 'online' as const }, [BEN]: { id: BEN, name: 'lee', display: 'Ann Lee', admin: false, status: 'online' as const } };
  const picks = [{ label: 'Ann', id: ANN }, { label: 'Ann Lee', id: BEN }];
  const wire = toWire('@Ann and @Ann Lee, not @Anna', picks);
  expect(wire).toBe(`<@${ANN}> and <@${BEN}>, not @Anna`);
  expect(fromWire(wire, people)).toEqual({ text: '@Ann and @Ann Lee, not @Anna', picks });
});

test('a word is completed where the caret stands, and only there', () => {
  expect(completing('hi @be', 6)).toEqual({ kind: '@', from: 3, query: 'be' });
  expect(completing('mail@be', 7)).toBeNull();
  expect(completing('at 10:30', 8)).toBeNull();
  expect(completing('so :smi', 7)).toEqual({ kind: ':', from: 3, query: 'smi' });
  expect(score('lee', 'Ann Lee')).toBeGreaterThan(score('lee', 'Kathleen'));
});

test('pins are those that stand, listed or loaded, as their messages are now', () => {
  const pin = (seq: number, target: number, on = true) => event(seq, ANN, { pin: { target, on } });
  const listed = { events: [said(1, ANN), said(2, BEN), said(3, ANN)], marks: [pin(10, 1), pin(11, 2), pin(12, 3), event(13, ANN, { edit: { target: 1, text: 'changed' } })] };
  const later = [said(20, BEN), pin(21, 20), pin(22, 2, false), event(23, ANN, { delete: { target: 3 } })];
  const log = mergePage(EMPTY_LOG, { room: 'r', from: 20, to: 23, head: 23, ordinal: 20, events: later, marks: [] });
  expect(pinsOf(listed, log).map(({ event: { seq }, text }) => [seq, text])).toEqual([[20, 'text 20'], [1, 'changed']]);
  expect(pinsOf(null, log).map(({ event: { seq } }) => seq)).toEqual([20]);
});

test('members change as they come, get a role and go; whoever is here is listed first, then by role and name', () => {
  const [A, B, C] = ['a', 'b', 'c'];
  let members = withMember(withMember(withMember([], A, 'member'), B, 'member'), C, 'owner');
  members = withMember(members, B, 'moderator');
  const people = Object.fromEntries([[A, 'Zoe'], [B, 'ann'], [C, 'Émile']].map(([id, display]) => [id!, { id: id!, name: id!, display: display!, admin: false, status: 'offline' as const }]));
  const order = (here: string[]) => listed(members, Object.fromEntries(here.map((user) => [user, { status: 'online' as const }])), people, new Intl.Collator('en')).map(({ user }) => user);
  expect(order([])).toEqual([C, B, A]);
  expect(order([A])).toEqual([A, C, B]);
  members = withMember(members, B, null);
  expect(order([])).toEqual([C, A]);
});
