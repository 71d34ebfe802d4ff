// The fold's bytes are those of `schema::fold`, and its value does not depend on how the events were cut.

import { decode } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { encodeFold, foldOf, hashOf } from '../src/fold';
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
