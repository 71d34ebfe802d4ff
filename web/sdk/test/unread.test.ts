// Unread is a subtraction, whatever the order in which markers and messages come.

import { expect, test } from 'vitest';
import { EMPTY_LOG, mergePage } from '../src/log';
import { advance, mentioned, newFrom, raiseRead, unreadOf } from '../src/unread';
import type { RoomState } from '../src/types';
import { journal, page, ROOM, user } from './world';

const state: RoomState = { room: ROOM, kind: 'group', settings: {}, role: 'member', head: 10, ordinal: 7, at: 1, read_seq: 4, read_ordinal: 2, members: 3 };

test('unread is the ordinals that are not read', () => {
  expect(unreadOf(state, EMPTY_LOG)).toBe(5);
  expect(newFrom(state, EMPTY_LOG)).toBe(5);
});

test('a marker never falls back', () => {
  const read = raiseRead(state, 10, 7);
  expect(unreadOf(read, EMPTY_LOG)).toBe(0);
  expect(raiseRead(read, 4, 2)).toBe(read);
});

test('marked as unread from a message on counts from that message', () => {
  const all = journal(Array.from({ length: 9 }, (_, n) => ({ kind: 0, who: n, what: n })));
  const log = mergePage(EMPTY_LOG, page(all, 1, 10, 10));
  const read = { ...raiseRead(state, 10, 9), ordinal: 9, unread_from: 8 };
  expect(unreadOf(read, log)).toBe(3);
  expect(newFrom(read, log)).toBe(8);
});

test('events that are no messages move the head and leave unread alone', () => {
  const [, message, reaction] = journal([{ kind: 0, who: 1, what: 1 }, { kind: 6, who: 1, what: 1 }]);
  let room: RoomState = { ...state, head: 1, ordinal: 0, read_seq: 1, read_ordinal: 0 };
  room = advance(room, message!, user(0));
  room = advance(room, reaction!, user(0));
  expect([room.head, unreadOf(room, EMPTY_LOG)]).toEqual([3, 1]);
});

test('a mention of me is kept until it is read', () => {
  const [, message] = journal([{ kind: 0, who: 1, what: 1 }]);
  const event = { ...message!, body: { message: { text: `hi <@${user(0)}>` } } };
  const room = advance({ ...state, head: 1, ordinal: 0, read_seq: 1, read_ordinal: 0 }, event, user(0));
  expect(room.mentions).toEqual([2]);
  expect(raiseRead(room, 2, 1).mentions).toEqual([]);
});

test('mentions are ids, not names, each once', () => {
  expect(mentioned(`<@Ann> <@${user(1)}> <@${user(1)}> <@${user(2)}`)).toEqual([user(1)]);
});
