// What is written is sent in order, once, with the same bytes, whatever the connection does.

import { expect, test, vi } from 'vitest';
import { RequestError } from '../src/codes';
import { MemoryOutbox, Outbox } from '../src/outbox';
import type { Act, Done, Order } from '../src/types';
import { ROOM } from './world';

type Sent = { order: Omit<Order, 'id'>; act: Act; answer: (done: Partial<Done>) => void; refuse: (code: string) => void };

function world(store = new MemoryOutbox()) {
  const sent: Sent[] = [];
  let head = 5;
  const outbox = new Outbox({
    store,
    headOf: () => head,
    send: (order, act) => new Promise((resolve, reject) => {
      sent.push({ order, act, answer: (done) => resolve({ id: 1, ...done }), refuse: (code) => reject(new RequestError(code, code)) });
    }),
  });
  outbox.hold(true);
  return { outbox, sent, store, grow: () => head++ };
}

const settled = () => vi.waitFor(() => undefined);
const until = (what: () => boolean) => vi.waitFor(() => { if (!what()) throw new Error('not yet'); });
const text = (entry: Sent | undefined) => (entry && 'post' in entry.act ? entry.act.post.text : null);

test('what was written offline goes out in order, each naming the one before', async () => {
  const { outbox, sent } = world();
  for (const each of ['a', 'b', 'c']) await outbox.add(ROOM, { post: { text: each } });
  expect(sent).toHaveLength(0);
  outbox.setOnline(true);
  await until(() => sent.length === 3);
  expect(sent.map(text)).toEqual(['a', 'b', 'c']);
  expect(sent.map(({ order }) => order.prev)).toEqual([undefined, sent[0]!.order.cmid, sent[1]!.order.cmid]);
});

test('an unanswered request is resent with the same cmid and the same after', async () => {
  const { outbox, sent, grow } = world();
  outbox.setOnline(true);
  await outbox.add(ROOM, { post: { text: 'a' } });
  await until(() => sent.length === 1);
  outbox.setOnline(false);
  sent[0]!.refuse('offline');
  await settled();
  grow();
  outbox.setOnline(true);
  await until(() => sent.length === 2);
  expect(sent[1]!.order).toEqual(sent[0]!.order);
});

test('after a reload the request is the same as before', async () => {
  const first = world();
  first.outbox.setOnline(true);
  await first.outbox.add(ROOM, { post: { text: 'a' } });
  await until(() => first.sent.length === 1);
  const second = world(first.store);
  second.grow();
  await second.outbox.reload();
  second.outbox.setOnline(true);
  await until(() => second.sent.length === 1);
  expect(second.sent[0]!.order).toEqual(first.sent[0]!.order);
});

test('a refused request stays with its reason until it is retried or deleted, and does not hold up the next', async () => {
  const { outbox, sent } = world();
  outbox.setOnline(true);
  const a = await outbox.add(ROOM, { post: { text: 'a' } });
  await until(() => sent.length === 1);
  sent[0]!.refuse('forbidden');
  await until(() => outbox.entries[0]?.state === 'failed');
  await outbox.add(ROOM, { post: { text: 'b' } });
  await until(() => sent.length === 2);
  expect(sent[1]!.order.prev).toBeUndefined();
  await outbox.retry(a.cmid);
  await until(() => sent.length === 3);
  expect(sent[2]!.order.cmid).not.toBe(a.cmid);
  expect(text(sent[2])).toBe('a');
});

test('a request that named a refused one is sent again without it, else verbatim', async () => {
  const { outbox, sent } = world();
  for (const each of ['a', 'b']) await outbox.add(ROOM, { post: { text: each } });
  outbox.setOnline(true);
  await until(() => sent.length === 2);
  sent[0]!.refuse('forbidden');
  sent[1]!.refuse('out_of_order');
  await until(() => sent.length === 3);
  const { prev, ...rest } = sent[1]!.order;
  expect(prev).toBe(sent[0]!.order.cmid);
  expect(sent[2]!.order).toEqual(rest);
});

test('a temporary refusal is tried again by itself', async () => {
  const { outbox, sent } = world();
  outbox.setOnline(true);
  await outbox.add(ROOM, { post: { text: 'a' } });
  await until(() => sent.length === 1);
  sent[0]!.refuse('busy');
  await until(() => sent.length === 2);
  expect(sent[1]!.order).toEqual(sent[0]!.order);
});

test('an acknowledged request stays in sight until its event comes by, and no longer in the store', async () => {
  const { outbox, sent, store } = world();
  outbox.setOnline(true);
  const { cmid } = await outbox.add(ROOM, { post: { text: 'a' } });
  await until(() => sent.length === 1);
  sent[0]!.answer({ seq: 6 });
  await until(() => outbox.entries[0]?.state === 'acked');
  await until(() => store.entries.size === 0);
  outbox.seen(cmid);
  expect(outbox.entries).toHaveLength(0);
});

test('a request whose event comes by before its answer is done', async () => {
  const { outbox, sent, store } = world();
  outbox.setOnline(true);
  const { cmid } = await outbox.add(ROOM, { post: { text: 'a' } });
  await until(() => sent.length === 1);
  outbox.seen(cmid);
  sent[0]!.answer({ seq: 6 });
  await settled();
  expect(outbox.entries).toHaveLength(0);
  expect(store.entries.size).toBe(0);
});

test('one that does not hold the lock sends nothing', async () => {
  const { outbox, sent } = world();
  outbox.hold(false);
  outbox.setOnline(true);
  await outbox.add(ROOM, { post: { text: 'a' } });
  expect(sent).toHaveLength(0);
  outbox.hold(true);
  await until(() => sent.length === 1);
});

test('what another page sent stays in sight until its event comes by, and is not sent again', async () => {
  const writer = world();
  const sender = world(writer.store);
  writer.outbox.hold(false);
  sender.outbox.setOnline(true);
  const { cmid } = await writer.outbox.add(ROOM, { post: { text: 'a' } });
  await sender.outbox.reload();
  await until(() => sender.sent.length === 1);
  sender.sent[0]!.answer({ seq: 6 });
  await until(() => writer.store.entries.size === 0);
  await writer.outbox.reload();
  expect(writer.outbox.entries.map((entry) => entry.state)).toEqual(['acked']);
  writer.outbox.hold(true);
  writer.outbox.setOnline(true);
  await writer.outbox.reload();
  expect(writer.sent).toHaveLength(0);
  writer.outbox.seen(cmid);
  expect(writer.outbox.entries).toHaveLength(0);
});

test('what came by while the store was read does not come back with it', async () => {
  const { outbox, store } = world();
  const { cmid } = await outbox.add(ROOM, { post: { text: 'a' } });
  const reading = outbox.reload();
  outbox.seen(cmid);
  await reading;
  expect([outbox.entries.length, store.entries.size]).toEqual([0, 0]);
});
