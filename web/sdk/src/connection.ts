// One WebSocket at a time, opened again by itself: hello, answers matched to requests, heartbeat, probes, backoff.
// Knows nothing of rooms; keeps no request over a reconnect (the outbox does that).

import type { Addresses } from './addresses';
import { backoff } from './backoff';
import { isRevoked, isStaleToken, mayReconnect, RequestError } from './codes';
import { Emitter } from './emitter';
import { LEVEL } from './generated/types';
import type { Link } from './link';
import { timerTicker, type Ticker } from './ticker';
import type { Act, Done, Hello, Order, Page, Ready, Remarks, Requests, ServerEvent } from './types';

/** `moving`: the node asked to come back a little later. `waiting`: the next try is due soon. */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'moving' | 'waiting' | 'stopped';

export interface ConnectionOptions {
  addresses: Addresses;
  /** Asked anew for each try; `stale`: the last access token was refused. Throws to stop for good. */
  hello: (stale: boolean) => Promise<Hello>;
  ticker?: Ticker;
  random?: () => number;
  open?: (url: string, protocol: string) => WebSocket;
}

export interface ConnectionEvents {
  state: ConnectionState;
  ready: Ready;
  said: ServerEvent;
  /** Not coming back by itself: `revoked` needs a new login, `refused` a newer client or a person who looks. */
  stopped: 'revoked' | 'refused';
}

interface Waiting { resolve: (answer: ServerEvent) => void; reject: (error: Error) => void; sentAt: number }

const REQUESTS_MAX = 16;
const QUEUE_MAX = 256;
const PROBE_MS = 4_000;
const HELLO_MS = 12_000;
/** Where there are other nodes to ask, the first tries are short. */
const HELLO_STEP_MS = 3_000;
/** What is under way when a node sends us away gets its answers first. */
const LEAVE_MS = 4_000;

export class Connection extends Emitter<ConnectionEvents> implements Link {
  state: ConnectionState = 'idle';
  private socket: WebSocket | null = null;
  private generation = 0;
  private attempt = 0;
  private nextId = 1;
  private inFlight = new Map<number, Waiting>();
  private queue: { frame: (id: number) => object; waiting: Waiting }[] = [];
  private limit = REQUESTS_MAX;
  private heardAt = 0;
  private saidAt = 0;
  private wake: ReturnType<typeof setTimeout> | null = null;
  private stopBeat: (() => void) | null = null;
  /** The node said `reconnect`: no request begins here any more. */
  private leaving: { delayMs: number } | null = null;
  private stale = false;
  private staleTries = 0;
  private readonly options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    super();
    this.options = options;
  }

  start(): void {
    if (this.state === 'idle' || this.state === 'stopped') {
      this.attempt = 0;
      this.staleTries = 0;
      void this.dial();
    }
  }

  stop(): void {
    this.drop();
    this.turn('idle');
  }

  /** The machine woke, got focus or a network: find out now whether the socket still lives. */
  probe(): void {
    if (this.state === 'waiting' || this.state === 'moving') return void this.dial();
    if (this.state !== 'open') return;
    const asked = Date.now();
    const generation = this.generation;
    this.request('ping', {}).catch(() => undefined);
    this.after(PROBE_MS, () => {
      if (this.generation === generation && this.heardAt < asked) this.lost(0);
    });
  }

  request<Name extends keyof Requests>(name: Name, body: Requests[Name]): Promise<ServerEvent> {
    return this.ask((id) => ({ [name]: { id, ...body } }));
  }

  async history(query: Requests['history']): Promise<Page> {
    const answer = await this.request('history', query);
    if ('history' in answer) return answer.history;
    throw new RequestError('bad_answer', 'the node answered something else than a page');
  }

  async ordered(order: Omit<Order, 'id'>, act: Act): Promise<Done> {
    const [name, body] = Object.entries(act)[0]!;
    const answer = await this.ask((id) => ({ [name]: { id, ...order, ...body } }));
    if ('ok' in answer) return answer.ok;
    throw new RequestError('bad_answer', 'the node answered something else than ok');
  }

  /** Said only while connected; there is no answer. */
  tell<Name extends keyof Remarks>(name: Name, body: Remarks[Name]): void {
    if (this.state === 'open') this.send({ [name]: body });
  }

  private ask(frame: (id: number) => object): Promise<ServerEvent> {
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject, sentAt: 0 };
      // To come back later is asked of those who have nothing to say.
      if (this.state === 'moving') this.probe();
      if (this.state !== 'open' || this.queue.length >= QUEUE_MAX) return reject(new RequestError('offline', 'not connected'));
      this.queue.push({ frame, waiting });
      this.pump();
    });
  }

  private pump(): void {
    while (this.state === 'open' && !this.leaving && this.inFlight.size < this.limit && this.queue.length > 0) {
      const { frame, waiting } = this.queue.shift()!;
      const id = this.nextId;
      this.nextId = this.nextId >= 0xffff_fff0 ? 1 : this.nextId + 1;
      waiting.sentAt = Date.now();
      this.inFlight.set(id, waiting);
      this.send(frame(id));
    }
  }

  private send(frame: object): void {
    this.saidAt = Date.now();
    this.socket?.send(JSON.stringify(frame));
  }

  private async dial(): Promise<void> {
    this.drop();
    const generation = ++this.generation;
    this.turn('connecting');
    let hello: Hello;
    try {
      hello = await this.options.hello(this.stale);
      this.stale = false;
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof RequestError && !error.temporary) return this.halt('revoked');
      this.options.addresses.next();
      return this.wait();
    }
    if (generation !== this.generation) return;
    const { addresses } = this.options;
    const url = levelled(addresses.now.socket);
    const socket = this.options.open?.(url, 'hubbub.v1.json') ?? new WebSocket(url, 'hubbub.v1.json');
    this.socket = socket;
    const patienceMs = addresses.count > 1 ? Math.min(HELLO_MS, HELLO_STEP_MS * (1 + Math.floor(this.attempt / addresses.count))) : HELLO_MS;
    const patience = setTimeout(() => { if (generation === this.generation && this.state === 'connecting') this.lost(0); }, patienceMs);
    socket.onopen = () => { if (generation === this.generation) this.send({ hello }); };
    socket.onmessage = (message) => { if (generation === this.generation) this.hear(String(message.data)); };
    socket.onclose = (close) => {
      clearTimeout(patience);
      if (generation === this.generation) this.lost(close.code);
    };
  }

  private hear(text: string): void {
    this.heardAt = Date.now();
    const said = JSON.parse(text) as ServerEvent;
    if ('ready' in said) return this.greet(said.ready);
    if ('reconnect' in said) this.leaveSoon(said.reconnect.delay_ms);
    const answer = answerOf(said);
    if (answer) {
      const waiting = this.inFlight.get(answer);
      this.inFlight.delete(answer);
      if ('error' in said) waiting?.reject(new RequestError(said.error.code, said.error.message, said.error.retry_after_ms ?? undefined));
      else waiting?.resolve(said);
      this.pump();
    }
    for (const each of apart(said)) this.emit('said', each);
    if (this.leaving && this.inFlight.size === 0) this.leave();
  }

  private leaveSoon(delayMs: number): void {
    if (this.leaving) return;
    this.leaving = { delayMs };
    const { generation } = this;
    this.after(LEAVE_MS, () => { if (generation === this.generation) this.leave(); });
  }

  /** The node goes away and said when to come back: at another node, if one is known. Who has something to say does not wait for it. */
  private leave(): void {
    const { delayMs } = this.leaving!;
    const inHaste = this.inFlight.size + this.queue.length > 0;
    this.drop();
    this.options.addresses.next();
    this.wait(inHaste ? 0 : delayMs);
  }

  private greet(ready: Ready): void {
    this.attempt = 0;
    this.staleTries = 0;
    this.options.addresses.learn(ready.nodes ?? []);
    this.limit = Math.max(1, Math.min(REQUESTS_MAX, ready.limits.requests_in_flight_max));
    this.turn('open');
    this.emit('ready', ready);
    const beat = Math.max(1_000, Math.min(ready.heartbeat_ms, 60_000));
    this.stopBeat = (this.options.ticker ?? timerTicker).every(Math.round(beat / 4), () => this.beat(beat));
    this.pump();
  }

  private beat(interval: number): void {
    const now = Date.now();
    if (now - this.heardAt > interval * 2) return this.lost(0);
    if (now - Math.min(this.saidAt, this.heardAt) > interval * 0.6) this.request('ping', {}).catch(() => undefined);
  }

  private lost(code: number): void {
    if (this.leaving && mayReconnect(code)) return this.leave();
    const wasOpen = this.state === 'open';
    this.drop();
    if (isRevoked(code)) return this.halt('revoked');
    if (isStaleToken(code)) {
      this.stale = true;
      if (++this.staleTries > 2) return this.halt('revoked');
    } else if (!mayReconnect(code)) return this.halt('refused');
    else if (!wasOpen) this.options.addresses.next();
    this.wait();
  }

  private wait(askedMs = 0): void {
    const random = (this.options.random ?? Math.random)();
    const { count } = this.options.addresses;
    // Each of the nodes is asked before the pauses become longer.
    const step = this.attempt % count === 0 ? this.attempt / count : 0;
    const delay = askedMs || (this.stale ? 0 : backoff(step, random));
    this.attempt++;
    this.turn(askedMs ? 'moving' : 'waiting');
    this.wake = setTimeout(() => void this.dial(), delay);
  }

  private halt(why: 'revoked' | 'refused'): void {
    this.drop();
    this.turn('stopped');
    this.emit('stopped', why);
  }

  private drop(): void {
    this.generation++;
    this.leaving = null;
    if (this.wake) clearTimeout(this.wake);
    this.wake = null;
    this.stopBeat?.();
    this.stopBeat = null;
    const socket = this.socket;
    this.socket = null;
    if (socket && socket.readyState <= 1) socket.close(1000);
    const waiting = [...this.inFlight.values(), ...this.queue.map((queued) => queued.waiting)];
    this.inFlight.clear();
    this.queue = [];
    if (this.state === 'open') this.turn('connecting');
    for (const each of waiting) each.reject(new RequestError('offline', 'the connection was lost'));
  }

  private after(ms: number, act: () => void): void {
    const stop = (this.options.ticker ?? timerTicker).every(ms, () => { stop(); act(); });
  }

  private turn(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.emit('state', state);
  }
}

/** Said in the address, since `hello` comes before the node has said its own level, and an older node does not look here. */
function levelled(address: string): string {
  return `${address}${address.includes('?') ? '&' : '?'}level=${LEVEL}`;
}

/** Several events at once are the same as one after the other. */
function apart(said: ServerEvent): ServerEvent[] {
  return 'events' in said ? said.events.events.map((event) => ({ event })) : [said];
}

/** The request that this answers, if it answers one. */
export function answerOf(said: ServerEvent): number | null {
  if ('ok' in said) return said.ok.id;
  if ('error' in said) return said.error.id;
  if ('history' in said) return said.history.id;
  if ('state_hash' in said) return said.state_hash.id;
  if ('pong' in said) return said.pong.id;
  return null;
}
