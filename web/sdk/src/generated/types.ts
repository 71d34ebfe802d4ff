// Generated from the schema crate by `cargo xtask gen`. Do not edit: change the schema, then generate.
// Ids are hyphenated lower-case UUIDs; times are milliseconds since 1970; seqs and ordinals stay below 2^53.
// Fields marked `?` are left out when empty. Ignore events and fields that you do not know: they come with a higher level.

/**
 * This connection reads too slowly to be sent the room's events: catch up to `head` by `history`; after that page
 * events flow again.
 */
export interface Behind {
  head: number;
  room: RoomId;
}

/** `PUT /v1/auth/password`: signs out all other devices. */
export interface ChangePassword {
  new: string;
  old: string;
}

/** `PATCH /v1/me` */
export interface ChangeProfile {
  display: string;
}

export interface ChannelEntry {
  joined: boolean;
  room: RoomId;
  settings: RoomSettings;
}

/** `GET /v1/workspaces/{room}/channels`: what the asker may see. */
export interface Channels {
  channels: ChannelEntry[];
  cursor?: string;
}

/** The unsent text of a room, for my other devices; empty: none. */
export interface ClientDraft {
  id: number;
  room: RoomId;
  text: string;
}

export type ClientEvent = 
  | { hello: Hello }
  | { post: Post }
  | { edit: Edit }
  | { delete: Delete }
  | { react: React }
  | { pin: Pin }
  | { join: Join }
  | { leave: Leave }
  | { invite: Invite }
  | { kick: Kick }
  | { role: SetRole }
  | { create: Create }
  | { settings: Settings }
  | { read: ClientRead }
  | { unread: Unread }
  | { delivered: Delivered }
  | { draft: ClientDraft }
  | { typing: ClientTyping }
  | { presence: ClientPresence }
  | { watch: Watch }
  | { history: ClientHistory }
  | { state_hash: ClientStateHash }
  | { signal: ClientSignal }
  | { ping: Ping };

/**
 * A page of a room: exactly one of `before`, `after`, `around` (a seq) and `at` (milliseconds since 1970), or none
 * for the newest.
 */
export interface ClientHistory {
  after?: number;
  around?: number;
  at?: number;
  before?: number;
  id: number;
  limit?: number;
  room: RoomId;
}

/** What a client has to keep to. */
export interface ClientLimits {
  message_bytes_max: number;
  page_max: number;
  requests_in_flight_max: number;
  resume_events_max: number;
  text_bytes_max: number;
  watch_max: number;
}

/** What I want to be seen as. */
export interface ClientPresence {
  id: number;
  status: Status;
}

/** "I have read up to here." `seq` and `ordinal` are those of one event; the marker only rises. */
export interface ClientRead {
  id: number;
  ordinal: number;
  room: RoomId;
  seq: number;
}

/** Something for the other members that is never stored; at most 4 KiB. Not answered. */
export interface ClientSignal {
  data: string;
  kind: string;
  room: RoomId;
}

/** The hash of what the events `from..=to` fold to (`schema::fold`). */
export interface ClientStateHash {
  from: number;
  id: number;
  room: RoomId;
  to: number;
}

/** Sent at most every 3 s while somebody types. Not answered. */
export interface ClientTyping {
  on: boolean;
  room: RoomId;
}

/** A client's id of one ordered request, made once, before the bytes leave. */
export type Cmid = string;

/**
 * Make a room. The client makes the id (UUIDv7) of all but a direct room, whose id is `RoomId::direct` of the two;
 * there `room` may be the nil UUID and the node fills it in.
 */
export interface Create {
  after?: number;
  cmid: Cmid;
  id: number;
  kind: RoomKind;
  members?: UserId[];
  prev?: Cmid;
  room: RoomId;
  settings?: RoomSettings;
}

/** `POST /v1/rooms` */
export interface CreateRoom {
  kind: RoomKind;
  members?: UserId[];
  /** A UUIDv7 of the client's; needed for all but direct rooms. */
  room?: RoomId;
  settings?: RoomSettings;
}

/** Take back one's own message; a moderator any, with a reason. */
export interface Delete {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  reason?: string;
  room: RoomId;
  target: number;
}

/** "This device has everything up to here." Not answered. */
export interface Delivered {
  room: RoomId;
  seq: number;
}

/** A signed-in device. */
export interface Device {
  address: string;
  created_at: number;
  /** The one that asks. */
  current: boolean;
  device: DeviceId;
  label: string;
  last_used: number;
  login: LoginId;
}

/** One installation of a client. */
export type DeviceId = string;

export interface Devices {
  devices: Device[];
}

/** Done. An ordered request is in the room at `seq`, for good. */
export interface Done {
  at?: number;
  id: number;
  ordinal?: number;
  room?: RoomId;
  seq?: number;
}

/** Change the text of one's own message. */
export interface Edit {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  room: RoomId;
  target: number;
  text: string;
}

/** `PATCH /v1/rooms/{room}/messages/{seq}` */
export interface EditMessage {
  text: string;
}

/** What went wrong, as clients see it. The number never changes its meaning. */
export type ErrorCode = "bad_request" | "unknown_event" | "too_long" | "unauthenticated" | "token_expired" | "wrong_password" | "login_revoked" | "forbidden" | "not_found" | "not_member" | "archived" | "name_taken" | "id_conflict" | "expired_id" | "last_owner" | "out_of_order" | "busy" | "rate_limited" | "unavailable" | "read_only" | "draining" | "too_many_connections" | "internal";

/** One thing that happened in a room. */
export interface Event {
  /** When people see it as said: milliseconds since 1970, strictly rising in a room. */
  at: number;
  body: EventBody;
  /** The request that asked for it; kept by erasure, so that a late resend does not bring it back. */
  cmid: Cmid;
  /** Messages up to and including this event (so a message's own number, when it is one). */
  ordinal: number;
  room: RoomId;
  /** Number in the room, from 1, no gaps. */
  seq: number;
  /** Who did it. */
  user: UserId;
}

export type EventBody = 
  /** Always seq 1: the room as it was made, and who is in it from the start. The author is its owner. */
  | { created: {
      kind: RoomKind;
      members: Member[];
      settings: RoomSettings;
    } }
  | { message: Message }
  /** The message at `target` reads `text` from here on. */
  | { edit: {
      target: number;
      text: string;
    } }
  /** The message at `target` is gone; `reason` when a moderator did it. */
  | { delete: {
      reason?: string;
      target: number;
    } }
  /** `on`: the author's reaction stands; off: it was taken back. */
  | { react: {
      emoji: string;
      on: boolean;
      target: number;
    } }
  | { pin: {
      on: boolean;
      target: number;
    } }
  /** `user` has `role` from here on; `None`: is no member any more. By another user: invited, kicked or promoted. */
  | { member: {
      /** How many members there are from here on. */
      members: number;
      role: Role | null;
      user: UserId;
    } }
  /** The room's settings from here on, whole. */
  | { settings: RoomSettings }
  /** What stood here was erased for good. */
  | "erased";

/** The events `from..=to` of the room were too many to send: page them by `history`. */
export interface Gap {
  from: number;
  room: RoomId;
  to: number;
}

/** The first message of a connection: an access token or a one-time ticket, and where the client stands. */
export interface Hello {
  device: DeviceId;
  resume?: Resume[];
  ticket?: string;
  token?: string;
}

/** The data set a node serves; another one means that cached state is void. */
export type InstallationId = string;

export interface Invite {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  room: RoomId;
  user: UserId;
}

/** Become a member of a public channel. */
export interface Join {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  room: RoomId;
}

export interface Kick {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  room: RoomId;
  user: UserId;
}

/** Where an ordered request landed. */
export interface Landed {
  at: number;
  cmid: Cmid;
  ordinal: number;
  room: RoomId;
  seq: number;
}

export interface Leave {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  room: RoomId;
}

/** `POST /v1/auth/login` */
export interface LogIn {
  device: DeviceId;
  label?: string;
  name: string;
  password: string;
}

/** A signed-in device's tokens. */
export type LoginId = string;

export interface Member {
  role: Role;
  user: UserId;
}

export interface MemberEntry {
  role: Role;
  user: UserId;
}

/** Paged by `cursor`, in the order of user ids. */
export interface Members {
  cursor?: string;
  members: MemberEntry[];
}

export interface Message {
  /** Where it came from, for imported messages. */
  origin?: Origin;
  /** The seq of the message that this one answers. */
  reply?: number;
  /** Markdown; a mention is `<@user-id>`. */
  text: string;
}

/** Somebody mentions you. */
export interface Notify {
  room: RoomId;
  seq: number;
  user: UserId;
}

/** How many members of the room are here now. */
export interface Online {
  count: number;
  room: RoomId;
}

/** What an import knows about a message besides its text. */
export interface Origin {
  /** When it was first said: milliseconds since 1970. */
  at: number;
  /** The conversation it belonged to there. */
  thread?: string;
}

/** `GET /v1/rooms/{room}/messages`: as `history` on a socket. */
export interface Page {
  events: Event[];
  from: number;
  head: number;
  marks: Event[];
  ordinal: number;
  room: RoomId;
  to: number;
}

export interface Pin {
  after?: number;
  cmid: Cmid;
  id: number;
  on: boolean;
  prev?: Cmid;
  room: RoomId;
  target: number;
}

export interface Ping {
  id: number;
}

export interface Pong {
  id: number;
}

/** Say something. */
export interface Post {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  reply?: number;
  room: RoomId;
  text: string;
}

/** `POST /v1/rooms/{room}/messages`; the `Idempotency-Key` header is the cmid. */
export interface PostMessage {
  /** The head the caller knew; without it the key is remembered for 24 h. */
  after?: number;
  reply?: number;
  text: string;
}

/** RFC 9457, with the code of the one table. */
export interface Problem {
  code: string;
  detail: string;
  number: number;
  request?: string;
  status: number;
  temporary: boolean;
  title: string;
  type: string;
}

export interface Profile {
  admin: boolean;
  display: string;
  id: UserId;
  last_seen?: number;
  name: string;
  status: Status;
}

export interface Profiles {
  users: Profile[];
}

/** `PUT /v1/rooms/{room}/members/{user}`: invites, or changes the role. */
export interface PutMember {
  role?: Role;
}

/** `PUT /v1/rooms/{room}/read` */
export interface PutRead {
  ordinal: number;
  seq: number;
}

export interface React {
  after?: number;
  cmid: Cmid;
  emoji: string;
  id: number;
  on: boolean;
  prev?: Cmid;
  room: RoomId;
  target: number;
}

export interface ReadMark {
  delivered: number;
  ordinal: number;
  /** 0: says nothing of what was read. */
  seq: number;
  unread_from?: number;
  user: UserId;
}

/** The answer to `hello`. What was missed in the resumed rooms follows as `event`s or a `gap`, before anything new. */
export interface Ready {
  device: DeviceId;
  /** Say something (`ping`) at least this often. */
  heartbeat_ms: number;
  installation: InstallationId;
  level: number;
  limits: ClientLimits;
  login: LoginId;
  /** The node's clock: milliseconds since 1970. */
  now: number;
  rooms: RoomState[];
  user: UserId;
}

export interface ReceiptEntry {
  delivered: number;
  seq: number;
  user: UserId;
}

/** `GET /v1/rooms/{room}/receipts`: how far the members are. */
export interface Receipts {
  cursor?: string;
  receipts: ReceiptEntry[];
}

export interface Reconnect {
  delay_ms: number;
}

/** `POST /v1/auth/refresh`: a browser sends nothing, its cookie has the token. */
export interface Refresh {
  refresh?: string;
}

export interface Refusal {
  code: ErrorCode;
  /** The request; 0 when it could not be read far enough to know. */
  id: number;
  /** One sentence for the person who wrote the client. */
  message: string;
  retry_after_ms?: number;
}

/** "I have everything of this room up to `seq`." */
export interface Resume {
  room: RoomId;
  seq: number;
}

/** Rising power: each may do what the one before may. */
export type Role = "guest" | "member" | "moderator" | "owner";

/** Any conversation, and a workspace (a room without messages). */
export type RoomId = string;

export type RoomKind = "group" | "direct" | "channel" | "workspace";

export interface RoomSettings {
  /** Nothing but un-archiving is possible any more. */
  archived?: boolean;
  name?: string;
  /** A channel that every member of its workspace may find, read after joining, and join. */
  public?: boolean;
  topic?: string;
  /** The workspace of a channel. */
  workspace?: RoomId;
}

/** A room as one member sees it. Unread messages = `ordinal` − `read_ordinal`, unless `unread_from` is set. */
export interface RoomState {
  /** Of the head: milliseconds since 1970. */
  at: number;
  draft?: string;
  head: number;
  kind: RoomKind;
  members: number;
  /** Seqs above `read_seq` that mention this user by name; at most 100, the oldest first. */
  mentions?: number[];
  ordinal: number;
  /** The other one in a direct room. */
  peer?: UserId;
  read_ordinal: number;
  read_seq: number;
  role: Role;
  room: RoomId;
  settings: RoomSettings;
  unread_from?: number;
}

export interface Rooms {
  rooms: RoomState[];
}

/** A draft that another of my devices left. */
export interface ServerDraft {
  room: RoomId;
  text: string;
}

export type ServerEvent = 
  | { ready: Ready }
  | { ok: Done }
  | { error: Refusal }
  | { event: Event }
  /** A room that is new to you, or your role in it or its settings changed while you were away from it. */
  | { room: RoomState }
  | { gap: Gap }
  | { behind: Behind }
  | { typing: ServerTyping }
  | { read: ServerRead }
  | { presence: ServerPresence }
  | { online: Online }
  | { draft: ServerDraft }
  | { notify: Notify }
  | { history: ServerHistory }
  | { state_hash: ServerStateHash }
  | { signal: ServerSignal }
  /** The node goes away soon: finish what you are at; `reconnect` follows. */
  | { draining: Record<string, never> }
  | { reconnect: Reconnect }
  | { pong: Pong };

/**
 * A page. `events` are contiguous from `from` to `to`; `marks` are later edits, deletions, reactions and pins of
 * messages in the page (the last of each kind), so that applying both gives the page as it is at `head`.
 */
export interface ServerHistory {
  events: Event[];
  from: number;
  head: number;
  id: number;
  marks: Event[];
  ordinal: number;
  room: RoomId;
  to: number;
}

export interface ServerPresence {
  users: UserStatus[];
}

/** Markers that rose. One's own come with `ordinal` and `unread_from`. */
export interface ServerRead {
  marks: ReadMark[];
  room: RoomId;
}

export interface ServerSignal {
  data: string;
  kind: string;
  room: RoomId;
  user: UserId;
}

export interface ServerStateHash {
  from: number;
  hash: string;
  id: number;
  room: RoomId;
  to: number;
}

/** Who types now: up to three, and how many in all. Sent again while it lasts, empty when it ends. */
export interface ServerTyping {
  count: number;
  room: RoomId;
  users: UserId[];
}

export interface SetRole {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  role: Role;
  room: RoomId;
  user: UserId;
}

/** Replace the room's settings, whole. */
export interface Settings {
  after?: number;
  cmid: Cmid;
  id: number;
  prev?: Cmid;
  room: RoomId;
  settings: RoomSettings;
}

/** `POST /v1/auth/signup` */
export interface SignUp {
  device: DeviceId;
  display?: string;
  label?: string;
  name: string;
  password: string;
}

export type Status = "online" | "idle" | "busy" | "away" | "invisible" | "offline";

/** `POST /v1/auth/ticket`: good for one `hello`, for 30 s. */
export interface Ticket {
  expires_in_s: number;
  ticket: string;
}

/** The answer to sign-up, log-in and refresh. A browser gets `refresh` as a cookie and not here. */
export interface Tokens {
  access: string;
  expires_in_s: number;
  login: LoginId;
  refresh?: string;
  user: UserId;
}

/** Show the room as unread from this message on, on my devices only; `None` takes that back. */
export interface Unread {
  from?: number;
  id: number;
  room: RoomId;
}

/** A person. */
export type UserId = string;

export interface UserStatus {
  /** When they were last here: milliseconds since 1970. */
  last_seen?: number;
  status: Status;
  user: UserId;
}

/** The people whose presence this connection shows now, whole; at most 200. */
export interface Watch {
  id: number;
  users: UserId[];
}

/** The names of what a client says. */
export type ClientEventName = "create" | "delete" | "delivered" | "draft" | "edit" | "hello" | "history" | "invite" | "join" | "kick" | "leave" | "pin" | "ping" | "post" | "presence" | "react" | "read" | "role" | "settings" | "signal" | "state_hash" | "typing" | "unread" | "watch";

/** The names of what a node says. */
export type ServerEventName = "behind" | "draft" | "draining" | "error" | "event" | "gap" | "history" | "notify" | "ok" | "online" | "pong" | "presence" | "read" | "ready" | "reconnect" | "room" | "signal" | "state_hash" | "typing";

/** The names of what a room journals. */
export type EventBodyName = "created" | "delete" | "edit" | "erased" | "member" | "message" | "pin" | "react" | "settings";

export interface ErrorInfo {
  /** Never changes its meaning. */
  readonly number: number;
  readonly status: number;
  /** Resend the same request, verbatim, later. */
  readonly temporary: boolean;
  readonly sentence: string;
}

export const ERRORS: Readonly<Record<ErrorCode, ErrorInfo>> = {
  bad_request: { number: 1000, status: 400, temporary: false, sentence: "the request could not be read" },
  unknown_event: { number: 1001, status: 400, temporary: false, sentence: "this node does not know that kind of request" },
  too_long: { number: 1002, status: 413, temporary: false, sentence: "the text is longer than the limit" },
  unauthenticated: { number: 1100, status: 401, temporary: false, sentence: "sign in first" },
  token_expired: { number: 1101, status: 401, temporary: false, sentence: "the access token has expired: refresh it" },
  wrong_password: { number: 1102, status: 401, temporary: false, sentence: "the name or the password is wrong" },
  login_revoked: { number: 1103, status: 401, temporary: false, sentence: "this device was signed out" },
  forbidden: { number: 1200, status: 403, temporary: false, sentence: "your role does not allow that" },
  not_found: { number: 1201, status: 404, temporary: false, sentence: "there is no such thing, or you may not see it" },
  not_member: { number: 1202, status: 403, temporary: false, sentence: "you are not a member of this room" },
  archived: { number: 1203, status: 409, temporary: false, sentence: "the room is archived" },
  name_taken: { number: 1300, status: 409, temporary: false, sentence: "that name is taken" },
  id_conflict: { number: 1301, status: 409, temporary: false, sentence: "this cmid was used for another request" },
  expired_id: { number: 1302, status: 409, temporary: false, sentence: "too much has happened since `after` to tell whether this was done: catch up and look" },
  last_owner: { number: 1303, status: 409, temporary: false, sentence: "a room needs an owner: name another first" },
  out_of_order: { number: 1400, status: 409, temporary: true, sentence: "the request named by `prev` has not arrived yet" },
  busy: { number: 1401, status: 503, temporary: true, sentence: "the room has more waiting than it may: resend later" },
  rate_limited: { number: 1402, status: 429, temporary: true, sentence: "too many requests: resend later" },
  unavailable: { number: 1403, status: 503, temporary: true, sentence: "the outcome is not known: resend verbatim" },
  read_only: { number: 1404, status: 503, temporary: true, sentence: "the node takes no writes: its disk is nearly full" },
  draining: { number: 1405, status: 503, temporary: true, sentence: "the node is going away: connect again" },
  too_many_connections: { number: 1406, status: 429, temporary: true, sentence: "too many connections from here" },
  internal: { number: 1900, status: 500, temporary: true, sentence: "something broke on our side; the request id finds it in the log" },
};

export interface CloseInfo {
  readonly name: string;
  /** Connect again, after the delay that was said. */
  readonly reconnect: boolean;
  readonly sentence: string;
}

/** By close code. One that is not here (1006: the line broke): connect again. */
export const CLOSES: Readonly<Record<number, CloseInfo>> = {
  1000: { name: "normal", reconnect: true, sentence: "goodbye" },
  1001: { name: "going_away", reconnect: true, sentence: "the node is going away" },
  1002: { name: "protocol", reconnect: false, sentence: "the frames break RFC 6455" },
  1003: { name: "unsupported", reconnect: false, sentence: "text frames on the MessagePack subprotocol, or the reverse" },
  1007: { name: "bad_text", reconnect: false, sentence: "a text message is not UTF-8" },
  1008: { name: "policy", reconnect: false, sentence: "too many fragments, or too slow" },
  1009: { name: "too_big", reconnect: false, sentence: "the message is larger than the limit" },
  4000: { name: "drain", reconnect: true, sentence: "the node drains: connect again after the delay" },
  4001: { name: "slow", reconnect: true, sentence: "nothing could be written for 10 s: connect again and resume" },
  4002: { name: "silent", reconnect: true, sentence: "two heartbeats were missed" },
  4003: { name: "replaced", reconnect: true, sentence: "more connections than one user may have: the oldest was closed" },
  4004: { name: "hello_timeout", reconnect: true, sentence: "no hello came in time" },
  4005: { name: "busy", reconnect: true, sentence: "the node is too busy to let you in: connect again later" },
  4100: { name: "bad_hello", reconnect: false, sentence: "the first message was not a valid hello" },
  4101: { name: "unauthenticated", reconnect: false, sentence: "the token is not valid: sign in or refresh" },
  4102: { name: "revoked", reconnect: false, sentence: "this device was signed out" },
};

export const LIMITS = {
  /** A whole WebSocket message, either way, after reassembly. */
  MESSAGE_BYTES_MAX: 65536,
  /** The text of a message, and of a draft. */
  TEXT_BYTES_MAX: 16384,
  /** The reason of a deletion. */
  REASON_BYTES_MAX: 500,
  /** The emoji of a reaction. */
  EMOJI_BYTES_MAX: 64,
  /** Distinct emoji on one message. */
  REACTIONS_MAX: 50,
  /** Pinned messages of a room. */
  PINS_MAX: 100,
  /** The name of a room, and the name that people see of a user. */
  NAME_BYTES_MAX: 80,
  /** The topic of a room. */
  TOPIC_BYTES_MAX: 500,
  /** The name that a user signs in with. */
  USERNAME_BYTES_MAX: 32,
  /** A password has at least this many bytes. */
  PASSWORD_BYTES_MIN: 8,
  /** A password has at most this many bytes. */
  PASSWORD_BYTES_MAX: 256,
  /** The data of a signal. */
  SIGNAL_BYTES_MAX: 4096,
  /** People named at once when a room is made. */
  CREATE_MEMBERS_MAX: 200,
  /** People in one `watch`. */
  WATCH_MAX: 200,
  /** Events of a history page when no limit is asked for. */
  PAGE_DEFAULT: 50,
  /** Events of a history page. */
  PAGE_MAX: 200,
  /** Events of one room that follow `ready` by themselves; more is a `gap`. */
  RESUME_ROOM_EVENTS_MAX: 500,
  /** Events that follow one `ready` by themselves, in all rooms together. */
  RESUME_EVENTS_MAX: 800,
  /** The same in bytes. */
  RESUME_BYTES_MAX: 524288,
  /** Events after `after` that are looked through for a cmid; beyond: `expired_id`. */
  CMID_SCAN_MAX: 50000,
} as const;

/** The protocol's level that these types speak. */
export const LEVEL = 1;
export const SUBPROTOCOLS = ["hubbub.v1.json", "hubbub.v1.msgpack"] as const;
