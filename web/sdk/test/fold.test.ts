// The fold's bytes are those of `schema::fold`, and its value does not depend on how the events were cut.

import { readdirSync, readFileSync } from 'node:fs';
import { decode } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { encodeFold, foldOf, hashOf } from '../src/fold';
import type { Event } from '../src/types';
import { journal, ROOM } from './world';

const steps = Array.from({ length: 200 }, (_, n) => ({ kind: (n * 7) % 10, who: n % 5, what: (n * 13) % 50 }));

test('the bytes are MessagePack with the fields in the order of the Rust struct', () => {
  const fold = foldOf(ROOM, journal(steps.filter((step) => step.kind !== 8).slice(0, 1)));
  const bytes = encodeFold(fold);
  const text = new TextDecoder('latin1').decode(bytes);
  const places = ['room', 'head', 'ordinal', 'settings', 'members', 'messages'].map((name) => text.indexOf(name));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(bytes[0]).toBe(0x86);
  expect(() => decode(encodeFold(foldOf(ROOM, [])))).not.toThrow();
});

test('the hash is the same for the same events and another for others', async () => {
  const all = journal(steps);
  const hash = await hashOf(foldOf(ROOM, all));
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await hashOf(foldOf(ROOM, journal(steps)))).toBe(hash);
  expect(await hashOf(foldOf(ROOM, all.slice(0, -1)))).not.toBe(hash);
});

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const golden = <T>(path: string): T => JSON.parse(read(`schema/golden/${path}.json`)) as T;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The bodies that `schema/tests/golden` folds, in its order. */
const FOLDED = [
  'created', 'created_group', 'created_workspace', 'created_direct', 'message', 'message_reply', 'message_imported', 'edit', 'delete', 'delete_reason', 'react', 'pin',
  'settings', 'settings_empty', 'member', 'member_gone', 'erased',
];

test('the golden events fold to the golden bytes and the golden hash of `schema`', async () => {
  expect(readdirSync(new URL('../../../schema/golden/event', import.meta.url)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5)).toSorted()).toEqual(FOLDED.toSorted());
  const events = FOLDED.map((name, i) => ({ ...golden<Event>(`event/${name}`), seq: i + 1, ordinal: Math.floor((i + 1) / 2) }));
  const fold = foldOf(events[0]!.room, events);
  expect(hex(encodeFold(fold))).toBe(golden<string>('fold/canonical'));
  expect(await hashOf(fold)).toBe(golden<string>('fold/hash'));
});

test('the worked example of PROTOCOL comes out as printed', async () => {
  const [, example] = /<!-- generated: hash -->([\s\S]*?)<!-- end -->/.exec(read('docs/PROTOCOL.md'))!;
  const blocks = [...example!.matchAll(/```(?:json)?\n([\s\S]*?)```/g)].map((match) => match[1]!);
  const events = blocks[0]!.trim().split('\n').map((line) => JSON.parse(line) as Event);
  const fold = foldOf(events[0]!.room, events);
  expect(hex(encodeFold(fold))).toBe(blocks[2]!.replace(/\s/g, ''));
  expect(example).toContain(await hashOf(fold));
});
