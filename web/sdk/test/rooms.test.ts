// Rooms after an absence: what is checked against the node, and what a difference does.

import { expect, test, vi } from 'vitest';
import { foldOf, hashOf } from '../src/fold';
import { EMPTY_LOG, mergePage } from '../src/log';
import { Rooms } from '../src/rooms';
import type { Event, Ready, RoomState } from '../src/types';
import { journal, page, ROOM, user } from './world';

const all = journal(Array.from({ length: 900 }, (_, n) => ({ kind: n % 8, who: n, what: n })));
const stateAt = (head: number): RoomState => ({ room: ROOM, kind: 'group', settings: {}, role: 'member', head, ordinal: all[head - 1]!.ordinal, at: 1, read_seq: 0, read_ordinal: 0, members: 3 });
const ready = (head: number): Ready => ({ user: user(0), installation: 'i', rooms: [stateAt(head)] }) as Ready;

/** A client that holds the first 700 events as `known`, and hears the rest. */
function back(known: Event[]) {
  const asked: [number, number][] = [];
  const pages: number[] = [];
  const rooms = new Rooms({
    history: async () => { pages.push(all.length); return page(all, all.length - 59, all.length, all.length); },
    stateHash: async (_, from, to) => { asked.push([from, to]); return hashOf(foldOf(ROOM, all.slice(from - 1, to))); },
  });
  const mismatches: unknown[] = [];
  rooms.on('mismatch', (each) => mismatches.push(each));
  rooms.restore('i', user(0), [{ state: stateAt(700), log: mergePage(EMPTY_LOG, page(known, 1, 700, 700)) }]);
  rooms.greet(ready(all.length));
  for (const event of all.slice(700)) rooms.hear({ event });
  return { rooms, asked, pages, mismatches };
}

test('after a long absence the newest events are checked, no more of them than a node hashes', async () => {
  const { asked, mismatches } = back(all);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(asked[0]).toEqual([all.length - 499, all.length]);
  expect(mismatches).toEqual([]);
});

test('a log that differs from the node\'s is dropped and read anew', async () => {
  const rotten = all.map((event) => (event.seq > 450 && 'message' in (event.body as object) ? { ...event, user: user(4) } : event));
  const { rooms, pages, mismatches } = back(rotten);
  await vi.waitFor(() => expect(pages).toHaveLength(1));
  expect(mismatches).toHaveLength(1);
  await vi.waitFor(() => expect(rooms.all.get(ROOM)!.log.spans.map((span) => span.from)).toEqual([all.length - 59]));
});
