// The rooms of one person as this client knows them: heads, logs, markers. Turns what the node says into new values; asks for what is missing.
// Subscribe first (`hello` did), then fill the gap, then merge by seq.

import { RequestError } from './codes';
import { Emitter } from './emitter';
import { apply, contiguousSeq, EMPTY_LOG, liveSpan, mergePage, missing, noteHead, spanAt, trim, type RoomLog } from './log';
import { advance, raiseRead } from './unread';
import type { Event, HistoryQuery, Page, ReadMark, Ready, ReceiptEntry, Resume, RoomId, RoomState, ServerEvent, UserId } from './types';

export interface Room {
  readonly state: RoomState;
  readonly log: RoomLog;
  /** How far others are, as far as it was told. */
  readonly receipts: ReadonlyMap<UserId, { seq: number; delivered: number }>;
}

export interface RoomsOptions {
  history: (query: { room: RoomId } & HistoryQuery) => Promise<Page>;
  stateHash: (room: RoomId, from: number, to: number) => Promise<string>;
}

export interface RoomsEvents {
  change: RoomId;
  removed: RoomId;
  event: Event;
  /** A page of history that was merged. */
  page: Page;
  /** Cached state was void: another data set answers. */
  reset: string;
  mismatch: { room: RoomId; from: number; to: number };
}

export const LOG_EVENTS_MAX = 12_000;
const PAGE = 60;
const CATCH_UP_PAGES_MAX = 5;
/** A node hashes no more at once. */
const HASHED_EVENTS_MAX = 500;

export class Rooms extends Emitter<RoomsEvents> {
  me: UserId = '';
  installation = '';
  readonly all = new Map<RoomId, Room>();
  private loading = new Map<string, Promise<void>>();
  private away = new Map<RoomId, number>();
  private readonly options: RoomsOptions;

  constructor(options: RoomsOptions) {
    super();
    this.options = options;
  }

  /** What `hello` claims to have. */
  resume(): Resume[] {
    return [...this.all.values()].filter((room) => room.log.spans.length > 0).map((room) => ({ room: room.state.room, seq: contiguousSeq(room.log) }));
  }

  /** Cached rooms, before the first connection. */
  restore(installation: string, me: UserId, rooms: { state: RoomState; log: RoomLog }[]): void {
    this.installation = installation;
    this.me = me;
    for (const { state, log } of rooms) if (!this.all.has(state.room)) this.put(state.room, { state, log, receipts: new Map() });
  }

  /** A hello was answered. Rooms that are not named any more are gone. */
  greet(ready: Ready): void {
    if (this.installation && this.installation !== ready.installation) this.reset(ready.installation);
    this.installation = ready.installation;
    this.me = ready.user;
    const named = new Set(ready.rooms.map((state) => state.room));
    for (const room of [...this.all.keys()]) if (!named.has(room)) this.remove(room);
    for (const state of ready.rooms) {
      const before = this.all.get(state.room);
      if (before && state.head - contiguousSeq(before.log) > 100) this.away.set(state.room, contiguousSeq(before.log));
      this.take(state);
    }
  }

  hear(said: ServerEvent): void {
    if ('event' in said) this.onEvent(said.event);
    else if ('room' in said) this.take(said.room);
    else if ('gap' in said) this.note(said.gap.room, said.gap.to);
    else if ('behind' in said) void this.catchUp(said.behind.room, said.behind.head).catch(() => undefined);
    else if ('read' in said) this.onRead(said.read.room, said.read.marks);
    else if ('draft' in said) this.change(said.draft.room, (room) => ({ ...room, state: { ...room.state, draft: said.draft.text } }));
  }

  /** Loads a page once, however many ask. Resolves when it is merged. */
  load(room: RoomId, query: HistoryQuery, keep = 0): Promise<void> {
    const key = `${room} ${JSON.stringify(query)}`;
    const known = this.loading.get(key);
    if (known) return known;
    const work = this.options.history({ room, limit: PAGE, ...query }).then((page) => {
      this.change(room, (was) => ({ ...was, log: trim(mergePage(was.log, page), LOG_EVENTS_MAX, keep || page.from) }));
      this.emit('page', page);
    }).finally(() => this.loading.delete(key));
    this.loading.set(key, work);
    return work;
  }

  /** The newest page and a hole behind it, if small: what opening a room needs. */
  async freshen(room: RoomId): Promise<void> {
    const log = this.all.get(room)?.log;
    if (!log || (liveSpan(log) && log.spans.length > 0)) return;
    const hole = missing(log);
    if (hole && contiguousSeq(log) > 0 && hole.to - hole.from < PAGE * CATCH_UP_PAGES_MAX) await this.catchUp(room, hole.to);
    else await this.load(room, {});
  }

  raise(room: RoomId, seq: number, ordinal: number): void {
    this.change(room, (was) => ({ ...was, state: { ...raiseRead(was.state, seq, ordinal), unread_from: undefined } }));
  }

  setUnreadFrom(room: RoomId, from: number | undefined): void {
    this.change(room, (was) => ({ ...was, state: { ...was.state, unread_from: from } }));
  }

  setDraft(room: RoomId, text: string): void {
    this.change(room, (was) => ({ ...was, state: { ...was.state, draft: text } }));
  }

  setReceipts(room: RoomId, entries: ReceiptEntry[]): void {
    this.onRead(room, entries.map((entry) => ({ ...entry, ordinal: 0 })));
  }

  private onEvent(event: Event): void {
    const was = this.all.get(event.room);
    if (!was) return;
    const { body } = event;
    if (body !== 'erased' && 'member' in body && body.member.user === this.me && body.member.role === null) return this.remove(event.room);
    const state = advance(was.state, event, this.me);
    const log = trim(apply(was.log, event), LOG_EVENTS_MAX, event.seq);
    this.put(event.room, { ...was, state, log });
    this.emit('event', event);
    if (was.log.spans.length > 0 && !spanAt(log, event.seq - 1) && event.seq > 1) this.mend(event.room);
    else if (this.away.has(event.room) && log.head === event.seq) void this.check(event.room);
  }

  /** A live event that does not follow the last one: a small hole is filled at once, a large one when somebody looks. */
  private mend(room: RoomId): void {
    const log = this.all.get(room)?.log;
    const [before, last] = log?.spans.slice(-2) ?? [];
    if (!log || !before || !last) return;
    const end = before.from + before.events.length;
    if (last.from - end <= PAGE) void this.load(room, { after: end - 1 }).catch(() => undefined);
  }

  private async catchUp(room: RoomId, head: number): Promise<void> {
    this.note(room, head);
    for (let page = 0; page < CATCH_UP_PAGES_MAX; page++) {
      const log = this.all.get(room)?.log;
      if (!log || log.head <= contiguousSeq(log)) return;
      const known = contiguousSeq(log);
      if (known === 0 || log.head - known > PAGE * CATCH_UP_PAGES_MAX) break;
      await this.load(room, { after: known, limit: 200 });
    }
    await this.load(room, {});
  }

  /** After a long absence: the node's hash of the newest events against ours. A mismatch drops what was cached and reads anew. */
  private async check(room: RoomId): Promise<void> {
    this.away.delete(room);
    const span = liveSpan(this.all.get(room)?.log ?? EMPTY_LOG);
    if (!span || span.events.length < 2) return;
    const newest = span.events.slice(-HASHED_EVENTS_MAX);
    const [from, to] = [newest[0]!.seq, newest.at(-1)!.seq];
    try {
      const { foldOf, hashOf } = await import('./fold');
      const [theirs, ours] = await Promise.all([this.options.stateHash(room, from, to), hashOf(foldOf(room, newest))]);
      if (theirs === ours) return;
    } catch (error) {
      if (error instanceof RequestError) return;
      throw error;
    }
    this.emit('mismatch', { room, from, to });
    this.change(room, (was) => ({ ...was, log: { ...EMPTY_LOG, head: was.log.head, ordinal: was.log.ordinal } }));
    await this.load(room, {}).catch(() => undefined);
  }

  private take(state: RoomState): void {
    const was = this.all.get(state.room);
    const log = noteHead(was?.log ?? EMPTY_LOG, state.head, state.ordinal);
    this.put(state.room, { state: was ? newest(was.state, state) : state, log, receipts: was?.receipts ?? new Map() });
  }

  private note(room: RoomId, head: number): void {
    this.change(room, (was) => ({ ...was, log: noteHead(was.log, head, was.log.ordinal) }));
  }

  private onRead(room: RoomId, marks: ReadMark[]): void {
    this.change(room, (was) => {
      let { state } = was;
      const receipts = new Map(was.receipts);
      for (const mark of marks) {
        if (mark.user === this.me) {
          // One that tells all members how far we are says nothing of ordinals; the one for our own devices does.
          if (!mark.ordinal && mark.unread_from === undefined) continue;
          state = { ...raiseRead(state, mark.seq ?? 0, mark.ordinal ?? 0), unread_from: mark.unread_from };
          continue;
        }
        const known = receipts.get(mark.user) ?? { seq: 0, delivered: 0 };
        const seq = Math.max(known.seq, mark.seq ?? 0);
        receipts.set(mark.user, { seq, delivered: Math.max(known.delivered, mark.delivered ?? 0, seq) });
      }
      return { ...was, state, receipts };
    });
  }

  private reset(installation: string): void {
    for (const room of [...this.all.keys()]) this.remove(room);
    this.emit('reset', installation);
  }

  private change(room: RoomId, with_: (was: Room) => Room): void {
    const was = this.all.get(room);
    if (was) this.put(room, with_(was));
  }

  private put(id: RoomId, room: Room): void {
    this.all.set(id, room);
    this.emit('change', id);
  }

  private remove(room: RoomId): void {
    this.all.delete(room);
    this.away.delete(room);
    this.emit('removed', room);
  }
}

/** What the node says wins, but a marker never falls back. */
function newest(was: RoomState, now: RoomState): RoomState {
  const mentions = now.head >= was.head ? now.mentions : was.mentions;
  return raiseRead({ ...now, mentions, head: Math.max(was.head, now.head), ordinal: Math.max(was.ordinal, now.ordinal), at: Math.max(was.at, now.at) }, was.read_seq, was.read_ordinal);
}
