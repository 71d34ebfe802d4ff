// The whole client of one signed-in person: connection, rooms, outbox, markers, typing. Draws nothing and stores nothing by itself.

import { Addresses } from './addresses';
import { Auth, type AuthOptions } from './auth';
import { RequestError } from './codes';
import { Connection } from './connection';
import { Emitter } from './emitter';
import { NIL, uuidv7 } from './ids';
import type { Link } from './link';
import { contiguousSeq } from './log';
import { MemoryOutbox, Outbox, type Entry, type OutboxStore } from './outbox';
import { reads } from './rest';
import { Rooms } from './rooms';
import { SharedLink, type Channel } from './shared';
import type { Ticker } from './ticker';
import type { Act, Done, Ready, RoomId, RoomKind, RoomSettings, ServerEvent, Status, UserId } from './types';

export interface ClientOptions extends Omit<AuthOptions, 'addresses'> {
  /** `http://…`; of several nodes a list: any of them will do. */
  base: string | readonly string[];
  /** `ws://…/v1/ws`; of several nodes a list, in the same order. */
  socket: string | readonly string[];
  outbox?: OutboxStore;
  ticker?: Ticker;
  /** Opens a socket where there is no global `WebSocket`. */
  open?: (url: string, protocol: string) => WebSocket;
  /** Several pages with one socket: `client.shared` is told which of them leads. */
  share?: { channel: Channel; onSilent?: () => void };
}

export interface ClientEvents {
  ready: Ready;
  said: ServerEvent;
}

const READ_EVERY_MS = 800;
const DELIVERED_EVERY_MS = 2_500;
const TYPING_EVERY_MS = 3_000;
const TRIES_MAX = 5;

export class Client extends Emitter<ClientEvents> {
  readonly auth: Auth;
  readonly connection: Link;
  readonly shared: SharedLink | null;
  readonly rooms: Rooms;
  readonly outbox: Outbox;
  readonly rest: ReturnType<typeof reads>;
  ready: Ready | null = null;
  private readDue = new Map<RoomId, { seq: number; ordinal: number }>();
  private readTimer: ReturnType<typeof setTimeout> | null = null;
  private deliveredDue = new Map<RoomId, number>();
  private deliveredTimer: ReturnType<typeof setTimeout> | null = null;
  private typedAt = new Map<RoomId, number>();

  constructor(options: ClientOptions) {
    super();
    const bases = [options.base].flat();
    const addresses = new Addresses([options.socket].flat().map((socket, n) => ({ socket, base: bases[n] ?? bases[0] ?? '' })));
    this.auth = new Auth({ ...options, addresses });
    this.rest = reads(this.auth.ask);
    const direct = new Connection({
      addresses,
      ticker: options.ticker,
      open: options.open,
      hello: async (stale) => ({ token: await this.auth.access(stale), device: options.device, resume: this.rooms.resume() }),
    });
    const { share, ticker } = options;
    this.shared = share ? new SharedLink({ direct, page: uuidv7(), snapshot: () => this.snapshot(), ...share, ...(ticker ? { ticker } : {}) }) : null;
    this.connection = this.shared ?? direct;
    this.rooms = new Rooms({
      history: (query) => this.patient(() => this.connection.history(query)),
      stateHash: async (room, from, to) => {
        const answer = await this.connection.request('state_hash', { room, from, to });
        return 'state_hash' in answer ? answer.state_hash.hash : '';
      },
    });
    this.outbox = new Outbox({
      store: options.outbox ?? new MemoryOutbox(),
      send: (order, act) => this.connection.ordered(order, act),
      headOf: (room) => this.headOf(room),
    });
    // What was missed may come as a page: an event with our cmid is the answer there too.
    this.rooms.on('page', (page) => { for (const event of page.events) if (event.user === this.rooms.me) this.outbox.seen(event.cmid); });
    this.connection.on('ready', (ready) => this.onReady(ready));
    this.connection.on('said', (said) => this.onSaid(said));
    this.connection.on('state', (state) => { this.outbox.setOnline(state === 'open'); this.hurry(); });
    this.outbox.on('change', () => this.hurry());
  }

  post(room: RoomId, text: string, reply?: number): Promise<Entry> {
    return this.outbox.add(room, { post: reply === undefined ? { text } : { text, reply } });
  }

  edit(room: RoomId, target: number, text: string): Promise<Entry> {
    return this.outbox.add(room, { edit: { target, text } });
  }

  delete(room: RoomId, target: number, reason?: string): Promise<Entry> {
    return this.outbox.add(room, { delete: reason ? { target, reason } : { target } });
  }

  react(room: RoomId, target: number, emoji: string, on: boolean): Promise<Entry> {
    return this.outbox.add(room, { react: { target, emoji, on } });
  }

  pin(room: RoomId, target: number, on: boolean): Promise<Entry> {
    return this.outbox.add(room, { pin: { target, on } });
  }

  /** Makes a room and tells its id; a direct room's id follows from the two people. */
  async create(kind: RoomKind, settings: RoomSettings, members: UserId[]): Promise<RoomId> {
    const room = kind === 'direct' ? NIL : uuidv7();
    const done = await this.now(room, { create: { kind, settings, members } });
    return done.room ?? room;
  }

  /** An ordered request that a person waits for: tried again, verbatim, while that can help. Not kept over a reload. */
  now(room: RoomId, act: Act): Promise<Done> {
    const order = { room, cmid: uuidv7(), after: this.headOf(room) };
    return this.patient(() => this.connection.ordered(order, act));
  }

  /** Read up to here: shown at once, sent soon, never falls back. */
  read(room: RoomId, seq: number, ordinal: number): void {
    const state = this.rooms.all.get(room)?.state;
    if (!state || (seq <= state.read_seq && state.unread_from == null)) return;
    if (state.unread_from != null) this.sayUnread(room);
    this.rooms.raise(room, seq, ordinal);
    this.readDue.set(room, { seq, ordinal });
    this.readTimer ??= setTimeout(() => this.sayRead(), READ_EVERY_MS);
  }

  /** What was read before is said before: a `read` that came later would end the mark. */
  unread(room: RoomId, from: number): void {
    this.sayRead();
    this.rooms.setUnreadFrom(room, from);
    this.sayUnread(room, from);
  }

  /** Says whether the node has it; if not, it is the caller's to say again. */
  async draft(room: RoomId, text: string): Promise<boolean> {
    try {
      await this.connection.request('draft', { room, text });
    } catch {
      return false;
    }
    this.rooms.setDraft(room, text);
    return true;
  }

  /** Call it at every key; it says so at most every 3 s. */
  typing(room: RoomId, on: boolean): void {
    const now = Date.now();
    const last = this.typedAt.get(room) ?? 0;
    if (on ? now - last < TYPING_EVERY_MS : last === 0) return;
    this.typedAt.set(room, on ? now : 0);
    this.connection.tell('typing', { room, on });
  }

  presence(status: Status): void {
    this.connection.request('presence', { status }).catch(() => undefined);
  }

  watch(users: UserId[]): void {
    this.connection.request('watch', { users: users.slice(0, this.ready?.limits.watch_max ?? 200) }).catch(() => undefined);
  }

  /** A node that went away asked to come back later; not while something waits to be sent. */
  private hurry(): void {
    if (this.connection.state === 'moving' && this.outbox.entries.some(({ state }) => state === 'queued' || state === 'sent')) this.connection.probe();
  }

  private snapshot(): Ready | null {
    const rooms = [...this.rooms.all.values()].map(({ state, log }) => ({ ...state, head: Math.max(state.head, log.head), ordinal: Math.max(state.ordinal, log.ordinal) }));
    return this.ready && { ...this.ready, rooms };
  }

  private onReady(ready: Ready): void {
    this.ready = ready;
    this.rooms.greet(ready);
    for (const state of ready.rooms) {
      const ours = this.rooms.all.get(state.room)?.state;
      if (ours && ours.read_seq > state.read_seq) this.readDue.set(state.room, { seq: ours.read_seq, ordinal: ours.read_ordinal });
    }
    if (this.readDue.size > 0) this.sayRead();
    this.emit('ready', ready);
  }

  private onSaid(said: ServerEvent): void {
    this.rooms.hear(said);
    // Another of our devices marked it: what was read here before that, and not said yet, must not end the mark.
    if ('read' in said && said.read.marks.some((mark) => mark.user === this.rooms.me && mark.unread_from != null)) this.readDue.delete(said.read.room);
    // After the room has it: own text is in one place or the other at every moment.
    if ('event' in said) {
      if (said.event.user === this.rooms.me) this.outbox.seen(said.event.cmid);
      else this.noteDelivered(said.event.room);
    }
    this.emit('said', said);
  }

  private noteDelivered(room: RoomId): void {
    this.deliveredDue.set(room, 0);
    this.deliveredTimer ??= setTimeout(() => {
      this.deliveredTimer = null;
      for (const each of this.deliveredDue.keys()) {
        const known = this.rooms.all.get(each);
        const seq = known ? contiguousSeq(known.log) : 0;
        if (known && seq > known.state.read_seq) this.connection.tell('delivered', { room: each, seq });
      }
      this.deliveredDue.clear();
    }, DELIVERED_EVERY_MS);
  }

  /** Says at once what was read; by itself it is said a little later. */
  sayRead(): void {
    if (this.readTimer) clearTimeout(this.readTimer);
    this.readTimer = null;
    for (const [room, mark] of this.readDue) {
      this.readDue.delete(room);
      this.connection.request('read', { room, ...mark }).catch((error: unknown) => {
        if (!(error instanceof RequestError) || !error.temporary || this.readDue.has(room)) return;
        this.readDue.set(room, mark);
        if (error.code !== 'offline') this.readTimer ??= setTimeout(() => this.sayRead(), Math.max(1_500, error.retryAfterMs ?? 0));
      });
    }
  }

  private sayUnread(room: RoomId, from?: number): void {
    this.connection.request('unread', from === undefined ? { room } : { room, from }).catch(() => undefined);
  }

  private headOf(room: RoomId): number {
    const known = this.rooms.all.get(room);
    return known ? Math.max(known.log.head, known.state.head) : 0;
  }

  private async patient<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof RequestError) || !error.temporary || attempt >= TRIES_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.max(error.retryAfterMs ?? 0, 250 * 2 ** attempt)));
      }
    }
  }
}
