// Requests that are not answered yet, in the order in which they were made. They outlive the connection and the page.
// A cmid and its `after` are written down before the bytes leave and never change. One holder sends (the app sees to that); others only add.

import { backoff } from './backoff';
import { RequestError } from './codes';
import { Emitter } from './emitter';
import { uuidv7 } from './ids';
import type { Act, Done, Order, RoomId } from './types';

export interface Entry {
  cmid: string;
  room: RoomId;
  act: Act;
  /** When it was made; the order of sending. */
  at: number;
  /** The head that was known when it first left; null: it never left. */
  after: number | null;
  /** The preceding request of the room that was not answered when this one first left. */
  prev?: string;
  state: 'queued' | 'sent' | 'acked' | 'failed';
  /** Where it is in the room, once acknowledged. */
  seq?: number;
  error?: { code: string; message: string };
}

export interface OutboxStore {
  load(): Promise<Entry[]>;
  put(entry: Entry): Promise<void>;
  remove(cmid: string): Promise<void>;
}

export class MemoryOutbox implements OutboxStore {
  readonly entries = new Map<string, Entry>();
  async load(): Promise<Entry[]> { return [...this.entries.values()]; }
  async put(entry: Entry): Promise<void> { this.entries.set(entry.cmid, entry); }
  async remove(cmid: string): Promise<void> { this.entries.delete(cmid); }
}

export interface OutboxOptions {
  store: OutboxStore;
  send: (order: Omit<Order, 'id'>, act: Act) => Promise<Done>;
  headOf: (room: RoomId) => number;
  now?: () => number;
}

export const OUTBOX_MAX = 500;
const WINDOW = 6;

export class Outbox extends Emitter<{ change: readonly Entry[]; failed: Entry }> {
  entries: readonly Entry[] = [];
  private sending = new Set<string>();
  /** Rooms that wait before the next try, and how often each was put off in a row. */
  private resting = new Set<RoomId>();
  private putOff = new Map<RoomId, number>();
  /** Not in the store yet, or newer here than there. */
  private writing = new Set<string>();
  /** Not here any more, and on its way out of the store. */
  private gone = new Set<string>();
  private reloading: Promise<void> | null = null;
  private stale = false;
  private lastAt = 0;
  private online = false;
  private holder = false;
  private readonly options: OutboxOptions;

  constructor(options: OutboxOptions) {
    super();
    this.options = options;
  }

  /** Reads what the store has: entries that another page added appear; what it sent stays in sight until its event comes by. */
  reload(): Promise<void> {
    this.stale = true;
    this.reloading ??= this.catchUp().finally(() => { this.reloading = null; });
    return this.reloading;
  }

  private async catchUp(): Promise<void> {
    while (this.stale) {
      this.stale = false;
      await this.readStore();
    }
  }

  private async readStore(): Promise<void> {
    const before = this.entries;
    const stored = await this.options.store.load();
    const isStored = (entry: Entry) => stored.some((each) => each.cmid === entry.cmid);
    const ours = this.entries.filter((entry) => entry.state === 'acked' || this.writing.has(entry.cmid) || this.sending.has(entry.cmid) || !before.includes(entry));
    const sent = this.entries.filter((entry) => !ours.includes(entry) && !isStored(entry) && entry.state !== 'failed').map((entry): Entry => ({ ...entry, state: 'acked' }));
    const theirs = stored.filter((entry) => ![...ours, ...sent].some((each) => each.cmid === entry.cmid) && !this.gone.has(entry.cmid));
    this.change([...ours, ...sent, ...theirs].sort((a, b) => a.at - b.at));
    this.pump();
  }

  /** Another person, or nobody: nothing of what was written here is shown or sent any more. The store is the caller's to clear. */
  clear(): void {
    this.change([]);
  }

  /** Only the holder sends. */
  hold(holder: boolean): void {
    this.holder = holder;
    this.pump();
  }

  setOnline(online: boolean): void {
    this.online = online;
    this.resting.clear();
    this.putOff.clear();
    this.pump();
  }

  /** In the list at once; on its way once it is stored. */
  async add(room: RoomId, act: Act): Promise<Entry> {
    if (this.entries.length >= OUTBOX_MAX) throw new RequestError('busy', 'too much is waiting to be sent');
    const at = Math.max((this.options.now ?? Date.now)(), this.lastAt + 1);
    this.lastAt = at;
    const entry: Entry = { cmid: uuidv7(at), room, act, at, after: null, state: 'queued' };
    this.change([...this.entries, entry]);
    await this.write(entry);
    this.pump();
    return entry;
  }

  /** A refused request again, as a new one. */
  async retry(cmid: string): Promise<void> {
    const entry = this.entries.find((each) => each.cmid === cmid);
    if (entry?.state !== 'failed') return;
    await this.discard(cmid);
    await this.add(entry.room, entry.act);
  }

  async discard(cmid: string): Promise<void> {
    this.gone.add(cmid);
    this.change(this.entries.filter((entry) => entry.cmid !== cmid));
    await this.options.store.remove(cmid).finally(() => this.gone.delete(cmid));
  }

  /** The event with this cmid came by: done, whether or not an answer comes. */
  seen(cmid: string): void {
    if (this.entries.some((entry) => entry.cmid === cmid)) void this.discard(cmid);
  }

  private pump(): void {
    if (!this.holder || !this.online) return;
    for (const room of new Set(this.entries.map((entry) => entry.room))) this.pumpRoom(room);
  }

  private pumpRoom(room: RoomId): void {
    if (this.resting.has(room)) return;
    let previous: string | undefined;
    let window = WINDOW;
    for (const entry of this.entries) {
      if (entry.room !== room || entry.state === 'failed' || entry.state === 'acked') continue;
      if (window-- <= 0) return;
      if (!this.sending.has(entry.cmid)) void this.sendOne(entry, previous);
      previous = entry.cmid;
    }
  }

  private async sendOne(entry: Entry, prev: string | undefined): Promise<void> {
    this.sending.add(entry.cmid);
    try {
      const sent: Entry = entry.after === null ? { ...entry, state: 'sent', after: this.options.headOf(entry.room), prev } : { ...entry, state: 'sent' };
      this.update(sent);
      await this.write(sent);
      const { cmid, room, after } = sent;
      const done = await this.options.send({ cmid, room, after: after!, ...(sent.prev ? { prev: sent.prev } : {}) }, sent.act);
      this.putOff.delete(room);
      this.update({ ...sent, state: 'acked', seq: done.seq ?? 0 });
      await this.options.store.remove(cmid);
    } catch (error) {
      await this.refused(entry.cmid, error);
    } finally {
      this.sending.delete(entry.cmid);
      this.pump();
    }
  }

  private async refused(cmid: string, error: unknown): Promise<void> {
    const entry = this.entries.find((each) => each.cmid === cmid);
    if (!entry) return;
    if (error instanceof RequestError && !error.temporary) {
      const failed: Entry = { ...entry, state: 'failed', error: { code: error.code, message: error.message } };
      this.update(failed);
      await Promise.all([this.write(failed), this.unlink(failed)]);
      this.emit('failed', failed);
    } else if (!(error instanceof RequestError && error.code === 'offline')) {
      this.rest(entry.room, error instanceof RequestError ? error.retryAfterMs : undefined);
    }
  }

  /** A request that will never be there cannot be waited for: those that named it name the one before it. */
  private async unlink(refused: Entry): Promise<void> {
    for (const entry of this.entries.filter((each) => each.prev === refused.cmid)) {
      const freed = { ...entry, prev: refused.prev };
      this.update(freed);
      await this.write(freed);
    }
  }

  private rest(room: RoomId, ms: number | undefined): void {
    if (this.resting.has(room)) return;
    const times = (this.putOff.get(room) ?? 0) + 1;
    this.putOff.set(room, times);
    this.resting.add(room);
    setTimeout(() => {
      this.resting.delete(room);
      this.pump();
    }, Math.max(ms ?? 0, backoff(times, Math.random())));
  }

  private async write(entry: Entry): Promise<void> {
    this.writing.add(entry.cmid);
    try {
      await this.options.store.put(entry);
    } finally {
      this.writing.delete(entry.cmid);
    }
  }

  private update(entry: Entry): void {
    if (this.entries.some((each) => each.cmid === entry.cmid)) {
      this.change(this.entries.map((each) => (each.cmid === entry.cmid ? entry : each)));
    }
  }

  private change(entries: readonly Entry[]): void {
    this.entries = entries;
    this.emit('change', entries);
  }
}
