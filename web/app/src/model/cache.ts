// What this browser keeps: who is signed in, the outbox, the newest part of each room, people. All of it can be lost but the outbox.

import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Entry, OutboxStore, Profile, RoomLog, RoomState } from '@hubbub/sdk';
import { lastOf } from '@hubbub/sdk';

export interface Session { user: string; installation: string; profile: Profile | null }
export interface KeptRoom { room: string; state: RoomState; log: RoomLog }

interface Schema extends DBSchema {
  session: { key: 'now'; value: Session };
  outbox: { key: string; value: Entry };
  rooms: { key: string; value: KeptRoom };
  people: { key: string; value: Profile };
}

export interface Kept { session: Session; rooms: KeptRoom[]; people: Profile[] }

const KEPT_PEOPLE_MAX = 5_000;
const KEPT_EVENTS_MAX = 200;
const KEPT_ROOMS_MAX = 200;

export class Cache implements OutboxStore {
  private readonly db: Promise<IDBPDatabase<Schema>>;

  constructor() {
    this.db = openDB<Schema>('hubbub', 1, {
      upgrade(db) {
        db.createObjectStore('session');
        db.createObjectStore('outbox', { keyPath: 'cmid' });
        db.createObjectStore('rooms', { keyPath: 'room' });
        db.createObjectStore('people', { keyPath: 'id' });
      },
    });
  }

  async load(): Promise<Entry[]> {
    return (await this.db).getAll('outbox');
  }
  async put(entry: Entry): Promise<void> {
    await (await this.db).put('outbox', entry);
    this.onOutbox();
  }
  async remove(cmid: string): Promise<void> {
    await (await this.db).delete('outbox', cmid);
    this.onOutbox();
  }
  /** Told after each change of the outbox, so that other pages look. */
  onOutbox: () => void = () => undefined;

  async session(): Promise<Session | undefined> {
    return (await this.db).get('session', 'now');
  }
  async signIn(session: Session): Promise<void> {
    await (await this.db).put('session', session, 'now');
  }

  /** All that a page begins from, in one go. */
  async kept(): Promise<Kept | undefined> {
    const read = (await this.db).transaction(['session', 'rooms', 'people']);
    const [session, rooms, people] = await Promise.all([
      read.objectStore('session').get('now'), read.objectStore('rooms').getAll(undefined, KEPT_ROOMS_MAX), read.objectStore('people').getAll(undefined, KEPT_PEOPLE_MAX),
    ]);
    return session && { session, rooms, people };
  }
  /** Committed at once: a page that is being left does not live to do it. */
  async keepRooms(rooms: { state: RoomState; log: RoomLog }[]): Promise<void> {
    const write = (await this.db).transaction('rooms', 'readwrite');
    const puts = rooms.map(({ state, log }) => write.store.put({ room: state.room, state, log: tail(log) }));
    write.commit();
    await Promise.all([...puts, write.done]);
  }
  async forgetRoom(room: string): Promise<void> {
    await (await this.db).delete('rooms', room);
  }

  async keepPeople(people: Profile[]): Promise<void> {
    const write = (await this.db).transaction('people', 'readwrite');
    await Promise.all([...people.map((person) => write.store.put(person)), write.done]);
  }

  /** Another data set, or another person: nothing of the old one stays. */
  async clear(): Promise<void> {
    const write = (await this.db).transaction(['session', 'outbox', 'rooms', 'people'], 'readwrite');
    await Promise.all([...(['session', 'outbox', 'rooms', 'people'] as const).map((name) => write.objectStore(name).clear()), write.done]);
  }
}

/** The newest events and what was said about them. */
function tail(log: RoomLog): RoomLog {
  const last = log.spans.at(-1);
  if (!last) return log;
  const from = Math.max(last.from, lastOf(last) - KEPT_EVENTS_MAX + 1);
  const marks = new Map([...log.marks].filter(([target]) => target >= from));
  return { ...log, spans: [{ from, events: last.events.slice(from - last.from) }], marks };
}
