// One socket for all pages of a browser: the page that leads holds it, the others (followers) ask and hear through it over a channel.
// Who leads is not decided here: the app's lock says `lead` and `follow`. A page that takes over connects and resumes from what itself
// has; what was under way elsewhere fails as `offline` and is sent again, verbatim, by whoever holds the outbox.

import { RequestError } from './codes';
import { answerOf, type ConnectionEvents, type ConnectionState } from './connection';
import { Emitter } from './emitter';
import type { Link } from './link';
import { timerTicker, type Ticker } from './ticker';
import type { Act, Done, HistoryQuery, Order, Page, Ready, Remarks, Requests, RoomId, ServerEvent, UserId } from './types';

/** Between the pages: each hears what the others post, in the order in which it was posted, and not what itself did. */
export interface Channel {
  post(word: unknown): void;
  listen(heard: (word: unknown) => void): void;
}

export interface SharedOptions {
  /** This page's own connection, used while it leads. */
  direct: Link;
  channel: Channel;
  /** Of this page, different from every other's. */
  page: string;
  /** `ready` as it would be now: what a page that joins begins from. */
  snapshot: () => Ready | null;
  /** The leader did not answer a probe: its page hangs. */
  onSilent?: () => void;
  ticker?: Ticker;
}

type Call = { request: keyof Requests; body: object } | { history: { room: RoomId } & HistoryQuery } | { ordered: Omit<Order, 'id'>; act: Act };
type News = { state: ConnectionState } | { ready: Ready } | { said: ServerEvent; except?: string } | { stopped: ConnectionEvents['stopped'] }
  | { answer: number; value: unknown } | { answer: number; error: { code: string; message: string; retryAfterMs?: number } };
type Question = { join: true } | { probe: true } | { leave: true } | { ask: number; call: Call } | { tell: keyof Remarks; body: object };
/** `to: null`: to everybody. */
type Word = { from: string; to: string | null } & ({ lead: true } | { news: News } | { question: Question });

const ASKED_MAX = 256;
const PAGES_MAX = 64;
const PROBE_MS = 4_000;

export class SharedLink extends Emitter<ConnectionEvents> implements Link {
  state: ConnectionState = 'idle';
  private leading = false;
  private leader: string | null = null;
  private wanted = false;
  private next = 1;
  private asked = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  /** The leader's: whom each page shows, and how many are in each room, for pages that join. */
  private watched = new Map<string, readonly UserId[]>();
  private online = new Map<RoomId, ServerEvent>();
  private heardAt = 0;
  private readonly options: SharedOptions;

  constructor(options: SharedOptions) {
    super();
    this.options = options;
    const { direct, channel } = options;
    direct.on('state', (state) => { if (this.leading) { this.turn(state); this.tellAll({ state }); } });
    direct.on('ready', (ready) => { if (this.leading) { this.online.clear(); this.emit('ready', ready); this.tellAll({ ready }); } });
    direct.on('said', (said) => { if (this.leading) this.onSaid(said); });
    direct.on('stopped', (stopped) => { if (this.leading) { this.emit('stopped', stopped); this.tellAll({ stopped }); } });
    channel.listen((word) => this.hear(word as Word));
  }

  /** This page holds the socket from here on. */
  lead(): void {
    if (this.leading) return;
    this.leading = true;
    this.leader = this.options.page;
    this.watched.clear();
    this.fail();
    this.options.channel.post({ from: this.options.page, to: null, lead: true } satisfies Word);
    if (!this.wanted) return;
    this.turn('connecting');
    this.options.direct.start();
  }

  /** Another page leads, or will. */
  follow(): void {
    if (!this.leading) return;
    this.leading = false;
    this.leader = null;
    this.options.direct.stop();
    if (this.wanted) this.join();
    else this.turn('idle');
  }

  start(): void {
    this.wanted = true;
    if (this.leading) this.options.direct.start();
    else this.join();
  }

  stop(): void {
    this.wanted = false;
    if (this.leading) return this.options.direct.stop();
    this.question({ leave: true });
    this.fail();
    this.turn('idle');
  }

  probe(): void {
    if (this.leading) return this.options.direct.probe();
    if (!this.wanted || !this.leader) return;
    const asked = Date.now();
    const { leader } = this;
    this.heardAt = 0;
    this.question({ probe: true });
    const stop = (this.options.ticker ?? timerTicker).every(PROBE_MS, () => {
      stop();
      if (!this.leading && this.leader === leader && this.heardAt < asked) this.options.onSilent?.();
    });
  }

  request<Name extends keyof Requests>(name: Name, body: Requests[Name]): Promise<ServerEvent> {
    return this.ask({ request: name, body });
  }

  history(query: { room: RoomId } & HistoryQuery): Promise<Page> {
    return this.ask({ history: query });
  }

  ordered(order: Omit<Order, 'id'>, act: Act): Promise<Done> {
    return this.ask({ ordered: order, act });
  }

  tell<Name extends keyof Remarks>(name: Name, body: Remarks[Name]): void {
    if (this.leading) this.options.direct.tell(name, body);
    // How far this device is, the leader says for all.
    else if (name !== 'delivered' && this.state === 'open') this.question({ tell: name, body });
  }

  private ask<Answer>(call: Call): Promise<Answer> {
    if (this.leading) return this.perform(this.options.page, call) as Promise<Answer>;
    return new Promise((resolve, reject) => {
      if (this.state !== 'open' || this.asked.size >= ASKED_MAX) return reject(new RequestError('offline', 'not connected'));
      const ask = this.next++;
      this.asked.set(ask, { resolve: resolve as (value: never) => void, reject });
      this.question({ ask, call });
    });
  }

  private async perform(page: string, call: Call): Promise<unknown> {
    const { direct } = this.options;
    if ('history' in call) return direct.history(call.history);
    if ('ordered' in call) return direct.ordered(call.ordered, call.act);
    if (call.request === 'watch') return direct.request('watch', { users: this.watch(page, (call.body as Requests['watch']).users) });
    const answer = await direct.request(call.request, call.body as never);
    const echo = echoOf(call.request, call.body, this.options.snapshot()?.user);
    if (echo) this.spread(echo, page);
    return answer;
  }

  /** Whom all pages show together. */
  private watch(page: string, users: readonly UserId[]): UserId[] {
    this.watched.delete(page);
    this.watched.set(page, users);
    if (this.watched.size > PAGES_MAX) this.watched.delete(this.watched.keys().next().value!);
    return [...new Set([...this.watched.values()].flat())].slice(0, this.options.snapshot()?.limits.watch_max ?? 200);
  }

  /** The node tells one's other connections what this one said; its other pages hear it from here. */
  private spread(said: ServerEvent, except: string): void {
    if (except !== this.options.page) this.emit('said', said);
    this.tellAll({ said, except });
  }

  private onSaid(said: ServerEvent): void {
    this.emit('said', said);
    if (answerOf(said)) return;
    if ('online' in said) this.online.set(said.online.room, said);
    // The leader catches up for this connection; the others need to know only that there is more.
    if ('behind' in said) this.tellAll({ said: { gap: { room: said.behind.room, from: said.behind.head, to: said.behind.head } } });
    else if (!('error' in said || 'draining' in said || 'reconnect' in said)) this.tellAll({ said });
  }

  private hear(word: Word): void {
    if (word.to !== null && word.to !== this.options.page) return;
    if ('lead' in word) return this.onLead(word.from);
    if ('question' in word) { if (this.leading) this.onQuestion(word.from, word.question); return; }
    if (this.leading || !this.wanted || word.from !== this.leader && this.leader !== null) return;
    this.leader = word.from;
    this.heardAt = Date.now();
    this.onNews(word.news);
  }

  private onLead(leader: string): void {
    const was = this.leading;
    this.leader = leader;
    if (was) { this.leading = false; this.options.direct.stop(); }
    if (this.wanted) this.join();
  }

  private onQuestion(page: string, question: Question): void {
    const news = (each: News) => this.options.channel.post({ from: this.options.page, to: page, news: each } satisfies Word);
    const { direct, snapshot } = this.options;
    if ('join' in question) {
      const ready = direct.state === 'open' ? snapshot() : null;
      news({ state: direct.state });
      if (ready) news({ ready });
      if (ready) for (const said of this.online.values()) news({ said });
    } else if ('probe' in question) {
      news({ state: direct.state });
      direct.probe();
    } else if ('leave' in question) this.watched.delete(page);
    else if ('tell' in question) direct.tell(question.tell, question.body as never);
    else {
      this.perform(page, question.call).then(
        (value) => news({ answer: question.ask, value }),
        (error: unknown) => news({ answer: question.ask, error: error instanceof RequestError ? { code: error.code, message: error.message, ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }) } : { code: 'offline', message: String(error) } }),
      );
    }
  }

  private onNews(news: News): void {
    if ('state' in news) this.turn(news.state === 'idle' ? 'connecting' : news.state);
    else if ('ready' in news) { this.turn('open'); this.emit('ready', news.ready); }
    else if ('stopped' in news) this.emit('stopped', news.stopped);
    else if ('said' in news) { if (news.except !== this.options.page) this.emit('said', news.said); }
    else {
      const waiting = this.asked.get(news.answer);
      this.asked.delete(news.answer);
      if ('error' in news) waiting?.reject(new RequestError(news.error.code, news.error.message, news.error.retryAfterMs));
      else waiting?.resolve(news.value as never);
    }
  }

  private join(): void {
    this.fail();
    this.turn('connecting');
    this.options.channel.post({ from: this.options.page, to: null, question: { join: true } } satisfies Word);
  }

  private question(question: Question): void {
    if (this.leader) this.options.channel.post({ from: this.options.page, to: this.leader, question } satisfies Word);
  }

  private tellAll(news: News): void {
    this.options.channel.post({ from: this.options.page, to: null, news } satisfies Word);
  }

  /** What was asked of a page that leads no more: nobody answers it. */
  private fail(): void {
    const waiting = [...this.asked.values()];
    this.asked.clear();
    for (const each of waiting) each.reject(new RequestError('offline', 'the connection was lost'));
  }

  private turn(state: ConnectionState): void {
    if (this.state === state) return;
    if (this.state === 'open') this.fail();
    this.state = state;
    this.emit('state', state);
  }
}

/** What the node would say of this request to one's other connections. */
function echoOf(name: keyof Requests, body: object, user: UserId | undefined): ServerEvent | null {
  if (!user) return null;
  if (name === 'draft') return { draft: body as Requests['draft'] };
  if (name === 'read') {
    const { room, seq, ordinal } = body as Requests['read'];
    return { read: { room, marks: [{ user, seq, ordinal, delivered: 0 }] } };
  }
  if (name === 'unread') {
    const { room, from } = body as Requests['unread'];
    return from === undefined || from === null ? null : { read: { room, marks: [{ user, seq: 0, ordinal: 0, delivered: 0, unread_from: from }] } };
  }
  return null;
}
