// Several pages, one socket: what one says all hear once, and whoever takes over goes on.

import { expect, test, vi } from 'vitest';
import type { ConnectionState } from '../src/connection';
import { Emitter } from '../src/emitter';
import type { ConnectionEvents } from '../src/connection';
import type { Link } from '../src/link';
import { SharedLink, type Channel } from '../src/shared';
import type { Ticker } from '../src/ticker';
import type { Event, Page, Ready, ServerEvent } from '../src/types';
import { journal, ROOM, user } from './world';

/** A socket that a test drives; what is asked of it is kept, and answered by hand. */
class Direct extends Emitter<ConnectionEvents> implements Link {
  state: ConnectionState = 'idle';
  asked: { name: string; body: unknown; answer: (value: unknown) => void }[] = [];
  told: string[] = [];
  probes = 0;
  start() { this.turn('connecting'); }
  stop() { this.turn('idle'); }
  probe() { this.probes++; }
  request(name: string, body: unknown) { return this.keep<ServerEvent>(name, body); }
  history(query: unknown) { return this.keep<Page>('history', query); }
  ordered(order: unknown) { return this.keep<never>('ordered', order); }
  tell(name: string) { this.told.push(name); }
  turn(state: ConnectionState) { if (this.state !== state) { this.state = state; this.emit('state', state); } }
  open(ready: Ready) { this.turn('open'); this.emit('ready', ready); }
  say(said: ServerEvent) { this.emit('said', said); }
  private keep<T>(name: string, body: unknown): Promise<T> { return new Promise((resolve) => this.asked.push({ name, body, answer: resolve as (value: unknown) => void })); }
}

/** Words go to all other pages, in order, as copies: what a BroadcastChannel does. A page that hangs neither hears nor speaks. */
class Bus {
  private ears = new Map<string, (word: unknown) => void>();
  readonly hung = new Set<string>();
  channel(name: string): Channel {
    return {
      post: (word) => { if (!this.hung.has(name)) for (const [other, heard] of this.ears) if (other !== name && !this.hung.has(other)) heard(structuredClone(word)); },
      listen: (heard) => this.ears.set(name, heard),
    };
  }
}

const ready = (head: number): Ready => ({ user: user(0), installation: 'i', limits: { watch_max: 5 }, rooms: [{ room: ROOM, head }] }) as never;
const [, first, second] = journal([{ kind: 0, who: 1, what: 1 }, { kind: 0, who: 1, what: 2 }]) as [Event, Event, Event];

function page(bus: Bus, name: string, snapshot: () => Ready | null = () => ready(7)) {
  const direct = new Direct();
  const ticks: (() => void)[] = [];
  const ticker: Ticker = { every: (_, tick) => { ticks.push(tick); return () => undefined; } };
  const silent = vi.fn();
  const link = new SharedLink({ direct, channel: bus.channel(name), page: name, snapshot, ticker, onSilent: silent });
  const heard: unknown[] = [];
  for (const event of ['state', 'ready', 'said', 'stopped'] as const) link.on(event, (value) => heard.push({ [event]: value }));
  link.start();
  return { link, direct, heard, silent, tick: () => ticks.splice(0).forEach((each) => each()) };
}

test('a page that joins begins from what the leader has, then hears all that follows, and opens no socket', () => {
  const bus = new Bus();
  const a = page(bus, 'a');
  a.link.lead();
  a.direct.open(ready(5));
  a.direct.say({ event: first });
  const b = page(bus, 'b', () => null);
  a.direct.say({ event: second });
  expect(b.heard).toEqual([{ state: 'connecting' }, { state: 'open' }, { ready: ready(7) }, { said: { event: second } }]);
  expect([a.direct.state, b.direct.state]).toEqual(['open', 'idle']);
});

test('what a page asks goes through the leader, and the answer comes to that page alone', async () => {
  const bus = new Bus();
  const [a, b, c] = [page(bus, 'a'), page(bus, 'b'), page(bus, 'c')];
  a.link.lead();
  a.direct.open(ready(5));
  const answer = b.link.history({ room: ROOM, before: 9 });
  expect(a.direct.asked.map(({ name, body }) => [name, body])).toEqual([['history', { room: ROOM, before: 9 }]]);
  const before = c.heard.length;
  a.direct.asked[0]!.answer({ from: 1, to: 8 });
  expect(await answer).toEqual({ from: 1, to: 8 });
  expect(c.heard).toHaveLength(before);
});

test('when the leader is gone the next one connects; what was under way fails as offline, to be sent again', async () => {
  const bus = new Bus();
  const [a, b, c] = [page(bus, 'a'), page(bus, 'b'), page(bus, 'c')];
  a.link.lead();
  a.direct.open(ready(5));
  const lost = [b.link.ordered({ room: ROOM, cmid: 'x', after: 1 }, { leave: {} }), c.link.history({ room: ROOM })];
  bus.hung.add('a');
  b.link.lead();
  for (const each of lost) await expect(each).rejects.toMatchObject({ code: 'offline' });
  expect([b.direct.state, c.direct.state, c.link.state]).toEqual(['connecting', 'idle', 'connecting']);
  b.direct.open(ready(9));
  expect(c.link.state).toBe('open');
  expect(c.heard.filter((each) => 'ready' in (each as object)).at(-1)).toEqual({ ready: ready(9) });
});

test('a leader that wakes up and finds another one closes its socket and follows', () => {
  const bus = new Bus();
  const [a, b] = [page(bus, 'a'), page(bus, 'b')];
  a.link.lead();
  a.direct.open(ready(5));
  b.link.lead();
  expect([a.direct.state, a.link.state]).toEqual(['idle', 'connecting']);
  b.direct.open(ready(6));
  expect(a.link.state).toBe('open');
});

test('read, unread and draft of one page are told to the others, since the node tells only other connections', async () => {
  const bus = new Bus();
  const [a, b, c] = [page(bus, 'a'), page(bus, 'b'), page(bus, 'c')];
  a.link.lead();
  a.direct.open(ready(5));
  const said = (of: typeof a) => of.heard.flatMap((each) => ('said' in (each as object) ? [(each as { said: unknown }).said] : []));
  const read = { read: { room: ROOM, marks: [{ user: user(0), seq: 4, ordinal: 3, delivered: 0 }] } };
  const asking = b.link.request('read', { room: ROOM, seq: 4, ordinal: 3 });
  a.direct.asked[0]!.answer({ ok: { id: 1 } });
  await asking;
  expect([said(a), said(b), said(c)]).toEqual([[read], [], [read]]);
  const own = a.link.request('draft', { room: ROOM, text: 'half' });
  a.direct.asked[1]!.answer({ ok: { id: 2 } });
  await own;
  expect([said(a).length, said(b), said(c).at(-1)]).toEqual([1, [{ draft: { room: ROOM, text: 'half' } }], { draft: { room: ROOM, text: 'half' } }]);
});

test('presence is watched for all pages together, and no more for one that left', () => {
  const bus = new Bus();
  const [a, b] = [page(bus, 'a'), page(bus, 'b')];
  a.link.lead();
  a.direct.open(ready(5));
  void a.link.request('watch', { users: [user(1), user(2)] });
  b.link.request('watch', { users: [user(2), user(3)] }).catch(() => undefined);
  b.link.stop();
  void a.link.request('watch', { users: [user(1)] });
  expect(a.direct.asked.map(({ body }) => body)).toEqual([{ users: [user(1), user(2)] }, { users: [user(1), user(2), user(3)] }, { users: [user(1)] }]);
});

test('a probe wakes the leader\'s line; a leader that does not answer it is reported', () => {
  const bus = new Bus();
  const [a, b] = [page(bus, 'a'), page(bus, 'b')];
  a.link.lead();
  a.direct.open(ready(5));
  b.link.probe();
  b.tick();
  expect([a.direct.probes, b.silent.mock.calls.length]).toEqual([1, 0]);
  bus.hung.add('a');
  b.link.probe();
  b.tick();
  expect(b.silent).toHaveBeenCalledOnce();
});

test('where events were held back, the other pages are told that there is more', () => {
  const bus = new Bus();
  const [a, b] = [page(bus, 'a'), page(bus, 'b')];
  a.link.lead();
  a.direct.open(ready(5));
  a.direct.say({ behind: { room: ROOM, head: 40 } });
  expect(b.heard.at(-1)).toEqual({ said: { gap: { room: ROOM, from: 40, to: 40 } } });
});
