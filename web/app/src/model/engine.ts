// Where the SDK meets the store: one client a page, its events become state, the screens' wishes become requests.
// The only file that knows both sides.

import { Client, RequestError, uuidv7, type HistoryQuery, type MemberEntry, type Profile, type Ready, type Room, type RoomId, type ServerEvent, type UserId } from '@hubbub/sdk';
import { cache, kept } from './early';
import { whenIdle } from './idle';
import { withMember } from './members';
import { People } from './people';
import { getApp, setApp, START, toast, type Why } from './state';
import { Tabs } from './tabs';
import { workerTicker } from './ticker';
import { Watch } from './watch';
import { sentence } from '../words/errors';

const TYPING_MS = 6_000;
/** A page that has something to show connects no later than this. */
const CONNECT_MS = 2_000;
const KEEP_EVERY_MS = 1_500;
const MEMBERS_MAX = 2_000;

type MemberChange = { member: { user: UserId; role: MemberEntry['role'] | null } };

export class Engine {
  readonly client: Client;
  readonly people: People;
  readonly watch: Watch;
  /** The room whose draft is being written here: its composer decides about drafts from elsewhere. */
  writing: RoomId | null = null;
  private readonly cache = cache;
  private readonly tabs = new Tabs();
  /** Of rooms whose members are being read: who came and went meanwhile. */
  private came = new Map<RoomId, MemberChange[]>();
  private dirty = new Set<RoomId>();
  private unkept = new Set<RoomId>();
  private flushing = false;
  private keepTimer: ReturnType<typeof setTimeout> | null = null;
  private typingTimers = new Map<RoomId, ReturnType<typeof setTimeout>>();

  constructor() {
    const { origin, protocol, host } = location;
    const channel = this.tabs.link();
    this.client = new Client({
      base: origin,
      socket: `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/v1/ws`,
      device: deviceId(),
      label: deviceLabel(),
      lock: this.tabs.alone,
      outbox: this.cache,
      ticker: workerTicker(),
      ...(channel ? { share: { channel, onSilent: () => this.tabs.seize(this.lead) } } : {}),
    });
    this.people = new People(this.client, this.cache);
    this.watch = new Watch((users) => this.client.watch(users));
    this.listen();
  }

  /** Shows what this browser kept, then connects. */
  async boot(): Promise<void> {
    const found = await kept;
    if (!found) return setApp({ phase: 'out' });
    const { session, rooms, people } = found;
    this.people.take(people, false);
    this.client.rooms.restore(session.installation, session.user, rooms);
    this.flush();
    setApp({ phase: 'in', me: session.user, admin: session.profile?.admin ?? false, drafts: keptDrafts() });
    // What was kept is on the screen first.
    whenIdle(() => this.enter(), CONNECT_MS);
  }

  async signUp(name: string, display: string, password: string, invite?: string): Promise<void> {
    await this.client.auth.signUp(name, display, password, invite);
    await this.signedIn();
  }

  async logIn(name: string, password: string): Promise<void> {
    await this.client.auth.logIn(name, password);
    await this.signedIn();
  }

  async logOut(): Promise<void> {
    await this.client.auth.logOut();
    this.tabs.say('signed-out');
    await this.forget(null);
  }

  /** Once the person is known: connect, by oneself or through the page that leads. */
  private enter(): void {
    void this.client.outbox.reload();
    this.client.connection.start();
    this.tabs.hold(this.lead);
  }

  /** The page that leads has the socket and sends what all pages wrote. */
  private readonly lead = (leads: boolean): void => {
    const { outbox, shared } = this.client;
    outbox.hold(leads);
    if (leads) void outbox.reload();
    if (leads) shared?.lead();
    else shared?.follow();
  };

  private async signedIn(): Promise<void> {
    const user = this.client.auth.tokens!.user;
    const before = await this.cache.session().catch(() => undefined);
    if (before && before.user !== user) await this.cache.clear();
    await this.cache.signIn({ user, installation: '', profile: null });
    setApp({ ...START, phase: 'in', me: user });
    this.tabs.say('signed-in');
    this.enter();
  }

  private async forget(why: Why | null): Promise<void> {
    this.client.connection.stop();
    this.tabs.release();
    for (const room of [...this.client.rooms.all.keys()]) this.client.rooms.all.delete(room);
    this.dirty.clear();
    this.unkept.clear();
    await this.cache.clear();
    for (const name of ['drafts', 'room', 'workspace']) localStorage.removeItem(`hubbub.${name}`);
    this.client.outbox.clear();
    setApp({ ...START, phase: 'out', why });
  }

  private listen(): void {
    const { connection, rooms, outbox } = this.client;
    // A move that the node asked for is no absence.
    connection.on('state', (state) => setApp((was) => ({ connection: state, awaySince: state === 'open' || state === 'moving' ? 0 : was.awaySince || Date.now() })));
    connection.on('stopped', (why) => void this.stopped(why));
    rooms.on('change', (room) => this.touch(room));
    rooms.on('removed', (room) => { this.touch(room); void this.cache.forgetRoom(room); });
    rooms.on('reset', () => { void this.cache.clear(); this.people.clear(); });
    rooms.on('mismatch', ({ room, from, to }) => console.warn(`room ${room}: ${from}..${to} differed from the node's, read anew`));
    outbox.on('change', (entries) => { this.flush(); setApp({ outbox: entries }); });
    outbox.on('failed', (entry) => { if (!('post' in entry.act)) { toast(sentence(entry.error!)); void outbox.discard(entry.cmid); } });
    this.client.on('ready', (ready) => void this.ready(ready));
    this.client.on('said', (said) => this.said(said));
    this.cache.onOutbox = () => this.tabs.say('outbox');
    this.tabs.listen((word) => {
      if (word === 'outbox') void outbox.reload();
      if (word === 'signed-out') void this.forget(null);
      if (word === 'signed-in' && getApp().phase === 'out') location.reload();
    });
    const probe = () => { if (document.visibilityState === 'visible') connection.probe(); };
    addEventListener('online', () => { this.here(); connection.probe(); });
    // The browser knows before the line does. Should the line live all the same, what is heard on it says so.
    addEventListener('offline', () => { setApp((was) => ({ awaySince: was.awaySince || Date.now() })); connection.probe(); });
    addEventListener('focus', probe);
    addEventListener('pageshow', probe);
    document.addEventListener('visibilitychange', () => { probe(); if (document.visibilityState === 'hidden') this.leave(); });
    addEventListener('pagehide', () => this.leave());
  }

  /** The line lives. */
  private here(): void {
    if (getApp().awaySince && this.client.connection.state === 'open') setApp({ awaySince: 0 });
  }

  /** The page may be gone in a moment: what was read is said and kept now. */
  private leave(): void {
    this.client.sayRead();
    void this.keep();
  }

  private async stopped(why: 'revoked' | 'refused'): Promise<void> {
    if (why === 'revoked') return this.forget('revoked');
    setApp({ why: 'outdated' });
  }

  private async ready(ready: Ready): Promise<void> {
    this.flush();
    setApp({ me: ready.user, greeted: true, awaySince: 0, typing: {} });
    this.watch.again();
    const me = await this.client.rest.me().catch(() => null);
    if (me) this.people.take([me]);
    setApp({ admin: me?.admin ?? getApp().admin });
    await this.cache.signIn({ user: ready.user, installation: ready.installation, profile: me });
    this.people.want(ready.rooms.flatMap((state) => (state.peer ? [state.peer] : [])));
  }

  private said(said: ServerEvent): void {
    this.here();
    if ('typing' in said) this.typing(said.typing.room, said.typing.users, said.typing.count);
    else if ('presence' in said) setApp((was) => ({ here: { ...was.here, ...Object.fromEntries(said.presence.users.map(({ user, ...here }) => [user, here])) } }));
    else if ('online' in said) setApp((was) => ({ online: { ...was.online, [said.online.room]: said.online.count } }));
    else if ('event' in said) this.event(said.event.room, said.event.user, said.event.body);
    else if ('draft' in said && said.draft.room !== this.writing) this.setDraft(said.draft.room, said.draft.text);
    else if ('room' in said && said.room.peer) this.people.want([said.room.peer]);
  }

  private event(room: RoomId, user: UserId, body: object | 'erased'): void {
    if (body === 'erased') return;
    if ('message' in body) this.typing(room, (getApp().typing[room]?.users ?? []).filter((each) => each !== user), Math.max(0, (getApp().typing[room]?.count ?? 0) - 1));
    if ('member' in body) this.member(room, body as MemberChange);
  }

  private typing(room: RoomId, users: UserId[], count: number): void {
    const me = getApp().me;
    const others = users.filter((user) => user !== me);
    const many = Math.max(others.length, users.includes(me) ? count - 1 : count);
    clearTimeout(this.typingTimers.get(room));
    const was = getApp().typing[room];
    if (many === 0 && !was) return;
    this.people.want(others);
    setApp((state) => {
      const { [room]: _, ...rest } = state.typing;
      return { typing: many > 0 && others.length > 0 ? { ...rest, [room]: { users: others, count: many } } : rest };
    });
    if (many > 0) this.typingTimers.set(room, setTimeout(() => this.typing(room, [], 0), TYPING_MS));
  }

  private member(room: RoomId, change: MemberChange): void {
    this.came.get(room)?.push(change);
    const known = getApp().members[room];
    if (!known) return;
    const { user, role } = change.member;
    this.people.want([user]);
    setApp((was) => ({ members: { ...was.members, [room]: withMember(known, user, role) } }));
  }

  async loadMembers(room: RoomId): Promise<void> {
    if (this.came.has(room)) return;
    // Pages are of different moments: what changes meanwhile is applied to all of them.
    const came: MemberChange[] = [];
    this.came.set(room, came);
    try {
      let found: readonly MemberEntry[] = [];
      let cursor: string | undefined;
      do {
        const page = await this.client.rest.members(room, cursor);
        found = [...found, ...page.members];
        cursor = page.cursor ?? undefined;
      } while (cursor && found.length < MEMBERS_MAX);
      for (const { member } of came) found = withMember(found, member.user, member.role);
      setApp((was) => ({ members: { ...was.members, [room]: found } }));
      this.people.want(found.map((member) => member.user));
    } finally {
      this.came.delete(room);
    }
  }

  /** Keeps what is typed here; other devices hear of it a little later (the composer decides when). */
  setDraft(room: RoomId, text: string): void {
    setApp((was) => ({ drafts: { ...was.drafts, [room]: text } }));
    const kept = keptDrafts();
    if (text) kept[room] = text;
    else delete kept[room];
    localStorage.setItem('hubbub.drafts', JSON.stringify(kept));
  }

  private touch(room: RoomId): void {
    this.dirty.add(room);
    this.unkept.add(room);
    this.keepTimer ??= setTimeout(() => void this.keep(), KEEP_EVERY_MS);
    if (this.flushing) return;
    this.flushing = true;
    if (document.visibilityState === 'visible') requestAnimationFrame(() => this.flush());
    else setTimeout(() => this.flush(), 0);
  }

  /** All rooms that changed become state at once. */
  readonly flush = (): void => {
    this.flushing = false;
    if (this.dirty.size === 0) return;
    const rooms: Record<RoomId, Room> = { ...getApp().rooms };
    for (const id of this.dirty) {
      const room = this.client.rooms.all.get(id);
      if (room) rooms[id] = room;
      else delete rooms[id];
    }
    this.dirty.clear();
    setApp({ rooms });
  };

  /** A page of history, in the store when this resolves. */
  async page(room: RoomId, query: HistoryQuery, keep = 0): Promise<void> {
    await this.client.rooms.load(room, query, keep);
    this.flush();
  }

  async freshen(room: RoomId): Promise<void> {
    await this.client.rooms.freshen(room);
    this.flush();
  }

  private async keep(): Promise<void> {
    if (this.keepTimer) clearTimeout(this.keepTimer);
    this.keepTimer = null;
    const rooms = [...this.unkept].flatMap((id) => this.client.rooms.all.get(id) ?? []);
    this.unkept.clear();
    if (rooms.length > 0) await this.cache.keepRooms(rooms).catch(() => undefined);
  }
}

const keptDrafts = (): Record<string, string> => JSON.parse(localStorage.getItem('hubbub.drafts') ?? '{}') as Record<string, string>;

function deviceId(): string {
  const known = localStorage.getItem('hubbub.device');
  if (known) return known;
  const made = uuidv7();
  localStorage.setItem('hubbub.device', made);
  return made;
}

/** In no language: other devices show it too. */
function deviceLabel(): string {
  const agent = navigator.userAgent;
  const browser = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : '';
  const system = /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Windows/.test(agent) ? 'Windows' : /Mac OS/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : '';
  return [browser, system].filter(Boolean).join(' · ');
}

export { RequestError, type Profile };
