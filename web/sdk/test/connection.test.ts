// A client and the nodes of one installation: a node that dies, one that sends its connections away, one that never answers.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client } from '../src/client';
import type { ConnectionState } from '../src/connection';
import { LEVEL } from '../src/generated/types';
import { contiguousSeq } from '../src/log';
import type { Event, ServerEvent } from '../src/types';
import { ROOM, user } from './world';

const ME = user(0);
const OTHER = user(1);
const DEVICE = '0190a000-0000-7000-8000-00000000dddd';
type Frame = Record<string, { id?: number; cmid?: string; text?: string; resume?: { room: string; seq: number }[] }>;

/** A socket as a client sees it, at the node of its address. */
class Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  readyState = 0;
  constructor(private readonly node: Node) {
    queueMicrotask(() => {
      if (node.is === 'down') this.end(1006);
      else if (node.is !== 'silent') { this.readyState = 1; this.onopen?.(); }
    });
  }
  send(text: string): void { this.node.hear(this, JSON.parse(text) as Frame); }
  close(): void { this.readyState = 3; this.node.sockets.delete(this); }
  say(said: ServerEvent): void { if (this.readyState === 1) this.onmessage?.({ data: JSON.stringify(said) }); }
  end(code: number): void { this.close(); this.onclose?.({ code }); }
}

class Node {
  is: 'up' | 'down' | 'silent' = 'up';
  /** Takes what is posted, and its answers are lost. */
  mute = false;
  /** Hears, and takes nothing. */
  deaf = false;
  readonly sockets = new Set<Socket>();
  readonly heard: Frame[] = [];
  constructor(private readonly all: Cluster, readonly name: string) {}

  hear(socket: Socket, frame: Frame): void {
    this.heard.push(frame);
    const { hello, post } = frame;
    if (hello) {
      this.sockets.add(socket);
      socket.say({ ready: this.all.ready() });
      for (const event of this.all.log.slice(hello.resume?.[0]?.seq ?? this.all.log.length)) socket.say({ event });
    } else if (post && !this.deaf) {
      const event = this.all.post(ME, post.cmid!, post.text!);
      if (!this.mute) socket.say({ ok: { id: post.id!, seq: event.seq, ordinal: event.ordinal, at: event.at } });
    } else if (frame.ping && !this.mute) socket.say({ pong: { id: frame.ping.id! } });
  }

  die(): void {
    this.is = 'down';
    for (const socket of [...this.sockets]) socket.end(1006);
  }
}

/** Nodes that serve the same room. */
class Cluster {
  readonly log: Event[] = [];
  readonly nodes = ['a', 'b'].map((name) => new Node(this, name));

  /** What `ready` says of where the nodes are. */
  named: string[] = [];

  ready() {
    const head = this.log.length;
    return { level: 1, user: ME, login: 'l', device: DEVICE, installation: 'i', now: 0, heartbeat_ms: 25_000, limits: { requests_in_flight_max: 16, watch_max: 200 }, nodes: this.named, rooms: [{ room: ROOM, kind: 'group', settings: {}, role: 'member', head, ordinal: head, at: 0, read_seq: 0, read_ordinal: 0, members: 2 }] } as never;
  }

  post(by: string, cmid: string, text: string): Event {
    const known = this.log.find((event) => event.cmid === cmid);
    if (known) return known;
    const seq = this.log.length + 1;
    const event: Event = { room: ROOM, seq, ordinal: seq, at: seq, user: by, cmid, body: { message: { text } } };
    this.log.push(event);
    for (const node of this.nodes) if (!node.mute) for (const socket of node.sockets) socket.say({ event });
    return event;
  }

  get texts(): string[] { return textsOf(this.log); }
  open = (url: string): WebSocket => new Socket(this.nodes.find((node) => url.includes(`//${node.name}/`))!) as never;
}

const textsOf = (events: readonly Event[]) => events.flatMap(({ body }) => (body !== 'erased' && 'message' in body ? [body.message.text] : []));

let cluster: Cluster, a: Node, b: Node, client: Client, states: ConnectionState[], asked: string[];

beforeEach(async () => {
  vi.useFakeTimers();
  cluster = new Cluster();
  [a, b] = cluster.nodes as [Node, Node];
  cluster.post(OTHER, 'first', 'first');
  asked = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    if (cluster.nodes.find((node) => url.includes(`//${node.name}/`))!.is !== 'up') return Promise.reject(new TypeError('no route'));
    return Promise.resolve(new Response(JSON.stringify({ user: ME, login: 'l', access: 'token', expires_in_s: 600, refresh: 'r' })));
  });
  client = new Client({ base: ['http://a', 'http://b'], socket: ['ws://a/v1/ws', 'ws://b/v1/ws'], device: DEVICE, label: 'a test', keep: { load: () => 'r', save: () => undefined }, open: cluster.open });
  states = [];
  client.connection.on('state', (state) => states.push(state));
  client.outbox.hold(true);
  client.connection.start();
  await passes(0);
  // Something is held from here on, so that there is something to resume.
  cluster.post(OTHER, 'second', 'second');
  states.length = 0;
});
afterEach(() => {
  client.connection.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const post = (text: string) => client.post(ROOM, text);
const orders = (node: Node) => node.heard.flatMap(({ post }) => { if (!post) return []; const { id: _, ...order } = post; return [order]; });
const room = () => client.rooms.all.get(ROOM)!;

test('a node dies: the next one takes over at once, what was missed comes once, and what it had taken without an answer is there once', async () => {
  await post('acknowledged');
  await passes(0);
  a.mute = true;
  await post('taken, and the answer lost');
  await passes(0);
  a.die();
  cluster.post(OTHER, 'third', 'meanwhile');
  await passes(1_000);
  expect(client.connection.state).toBe('open');
  expect(b.heard.find(({ hello }) => hello)!.hello!.resume).toEqual([{ room: ROOM, seq: 3 }]);
  expect(orders(b)).toEqual(orders(a).slice(1));
  expect(cluster.texts).toEqual(['first', 'second', 'acknowledged', 'taken, and the answer lost', 'meanwhile']);
  expect(textsOf(room().log.spans.at(-1)!.events)).toEqual(cluster.texts.slice(1));
  expect(client.outbox.entries).toEqual([]);
});

test('several events at once are taken one by one, and an own one among them is an answer', async () => {
  a.deaf = true;
  const { cmid } = await client.react(ROOM, 1, '👋', true);
  await passes(0);
  const reaction = (seq: number, by: string, id: string): Event => ({ room: ROOM, seq, ordinal: 2, at: seq, user: by, cmid: id, body: { react: { target: 1, emoji: '👋', on: true } } });
  const events = [reaction(3, OTHER, 'theirs'), reaction(4, ME, cmid), reaction(5, OTHER, 'again')];
  const heard: number[] = [];
  client.on('said', (said) => { if ('event' in said) heard.push(said.event.seq); });
  for (const socket of a.sockets) socket.say({ events: { room: ROOM, events } });
  expect(heard).toEqual([3, 4, 5]);
  expect(contiguousSeq(room().log)).toBe(5);
  expect(client.outbox.entries).toEqual([]);
  // A page had the first ones already.
  for (const socket of a.sockets) socket.say({ events: { room: ROOM, events: [...events.slice(1), reaction(6, OTHER, 'third')] } });
  expect(room().log.spans.at(-1)!.events.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6]);
});

test('the level of the protocol is said in the address', async () => {
  const urls: string[] = [];
  const once = new Client({ base: 'http://a', socket: 'ws://a/v1/ws', device: DEVICE, label: 'a test', keep: { load: () => 'r', save: () => undefined }, open: (url) => { urls.push(url); return cluster.open(url); } });
  once.connection.start();
  await passes(0);
  once.connection.stop();
  expect(urls).toEqual([`ws://a/v1/ws?level=${LEVEL}`]);
});

test('what a node never took is sent to the next one verbatim and in order, whatever else was said since', async () => {
  a.deaf = true;
  await post('one');
  await passes(0);
  cluster.post(OTHER, 'third', 'in between');
  await post('two');
  await passes(0);
  a.die();
  cluster.post(OTHER, 'fourth', 'meanwhile');
  await passes(1_000);
  expect(orders(b)).toEqual(orders(a));
  expect(orders(b).map(({ text }) => text)).toEqual(['one', 'two']);
  expect(cluster.texts.slice(2)).toEqual(['in between', 'meanwhile', 'one', 'two']);
  expect(contiguousSeq(room().log)).toBe(6);
});

test('a node that goes away is left when it says so, without its closing the line, and the other one asked after the delay', async () => {
  for (const socket of a.sockets) { socket.say({ draining: {} }); socket.say({ reconnect: { delay_ms: 7_000 } }); }
  expect(a.sockets.size).toBe(0);
  expect(states.at(-1)).toBe('moving');
  await passes(6_900);
  expect(b.heard).toEqual([]);
  await passes(200);
  expect([client.connection.state, b.sockets.size]).toEqual(['open', 1]);
});

test('who writes something does not wait until the delay is over', async () => {
  for (const socket of a.sockets) socket.say({ reconnect: { delay_ms: 7_000 } });
  await post('now');
  await passes(0);
  expect(client.connection.state).toBe('open');
  expect(cluster.texts.at(-1)).toBe('now');
});

test('what is under way when a node goes away gets its answer there; what is asked after that goes to the next one', async () => {
  a.mute = true;
  const hash = client.connection.request('state_hash', { room: ROOM, from: 1, to: 2 });
  for (const socket of a.sockets) socket.say({ reconnect: { delay_ms: 7_000 } });
  await post('after the word');
  await passes(0);
  expect(orders(a)).toEqual([]);
  for (const socket of a.sockets) socket.say({ state_hash: { id: a.heard.at(-1)!.state_hash!.id!, room: ROOM, from: 1, to: 2, hash: 'h' } });
  expect(await hash).toMatchObject({ state_hash: { hash: 'h' } });
  await passes(1_000);
  expect(orders(b).map(({ text }) => text)).toEqual(['after the word']);
  expect(cluster.texts.at(-1)).toBe('after the word');
});

test('a node that goes away and never answers is left all the same', async () => {
  a.mute = true;
  const lost = client.connection.request('state_hash', { room: ROOM, from: 1, to: 2 });
  const refused = expect(lost).rejects.toMatchObject({ code: 'offline' });
  for (const socket of a.sockets) socket.say({ reconnect: { delay_ms: 500 } });
  await passes(6_000);
  await refused;
  expect([client.connection.state, b.sockets.size]).toEqual(['open', 1]);
});

test('an address where nobody answers is given up soon, since there is another', async () => {
  a.die();
  a.is = 'silent';
  await passes(8_000);
  expect([client.connection.state, b.sockets.size]).toEqual(['open', 1]);
});

test('a token is refreshed at the node that answers', async () => {
  await passes(580_000);
  a.die();
  asked.length = 0;
  await passes(2_000);
  expect(asked.map((url) => new URL(url).host)).toEqual(['a', 'b']);
  expect([client.connection.state, b.sockets.size]).toEqual(['open', 1]);
});

test('all nodes are gone and one comes back: the client is there again, and nothing that was written is lost', async () => {
  for (const node of cluster.nodes) node.die();
  for (const text of ['one', 'two', 'three']) await post(text);
  await passes(60_000);
  expect(states).not.toContain('open');
  b.is = 'up';
  await passes(16_000);
  expect(cluster.texts.slice(2)).toEqual(['one', 'two', 'three']);
  expect(client.outbox.entries).toEqual([]);
});

test('a page that knows its own node alone moves to one that was named, and asks its own for tokens, whose cookie no other gets', async () => {
  cluster.named = ['http://a', 'http://b'];
  const page = new Client({ base: 'http://a', socket: 'ws://a/v1/ws', device: DEVICE, label: 'a page', open: cluster.open });
  page.connection.start();
  await passes(0);
  expect(page.connection.state).toBe('open');
  a.die();
  await passes(1_000);
  expect([page.connection.state, b.sockets.size]).toEqual(['open', 2]);
  asked.length = 0;
  await page.rest.me();
  a.is = 'up';
  await page.auth.refresh();
  expect(asked.map((url) => url.replace(/\?.*/, ''))).toEqual(['http://b/v1/me', 'http://a/v1/auth/refresh']);
  page.connection.stop();
});
