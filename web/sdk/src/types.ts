// The protocol's types, as `schema` has them: externally tagged unions, ids as hyphenated UUIDs, times in milliseconds since 1970.
// Only types; what they mean is said where they are defined.

export type Uuid = string;
export type UserId = Uuid;
export type DeviceId = Uuid;
export type RoomId = Uuid;
export type Cmid = Uuid;
export type LoginId = Uuid;
export type InstallationId = Uuid;

export type Role = 'guest' | 'member' | 'moderator' | 'owner';
export type RoomKind = 'direct' | 'group' | 'channel' | 'workspace';
export type Status = 'online' | 'idle' | 'busy' | 'away' | 'invisible' | 'offline';

export interface RoomSettings { name?: string; topic?: string; workspace?: RoomId | null; public?: boolean; archived?: boolean }
export interface Member { user: UserId; role: Role }
export interface Origin { at: number; thread?: string | null }
export interface Message { text: string; reply?: number | null; origin?: Origin | null }

export type EventBody =
  | { created: { kind: RoomKind; settings: RoomSettings; members: Member[] } }
  | { message: Message }
  | { edit: { target: number; text: string } }
  | { delete: { target: number; reason?: string | null } }
  | { react: { target: number; emoji: string; on: boolean } }
  | { pin: { target: number; on: boolean } }
  | { member: { user: UserId; role: Role | null } }
  | { settings: RoomSettings }
  | 'erased';

export interface Event { room: RoomId; seq: number; ordinal: number; at: number; user: UserId; cmid: Cmid; body: EventBody }

export interface Order { id: number; room: RoomId; cmid: Cmid; after: number; prev?: Cmid }
/** What an ordered request wants done, without its order: kept in the outbox. */
export type Act =
  | { post: { text: string; reply?: number } }
  | { edit: { target: number; text: string } }
  | { delete: { target: number; reason?: string } }
  | { react: { target: number; emoji: string; on: boolean } }
  | { pin: { target: number; on: boolean } }
  | { join: Record<never, never> }
  | { leave: Record<never, never> }
  | { invite: { user: UserId } }
  | { kick: { user: UserId } }
  | { role: { user: UserId; role: Role } }
  | { create: { kind: RoomKind; settings: RoomSettings; members: UserId[] } }
  | { settings: { settings: RoomSettings } };

export interface Resume { room: RoomId; seq: number }
export interface Hello { token?: string; ticket?: string; device: DeviceId; resume?: Resume[] }
export interface HistoryQuery { before?: number; after?: number; around?: number; at?: number; limit?: number }

/** Requests outside of the room's order that are answered; the connection adds `id`. */
export interface Requests {
  read: { room: RoomId; seq: number; ordinal: number };
  unread: { room: RoomId; from?: number };
  draft: { room: RoomId; text: string };
  presence: { status: Status };
  watch: { users: UserId[] };
  history: { room: RoomId } & HistoryQuery;
  state_hash: { room: RoomId; from: number; to: number };
  ping: Record<never, never>;
}
/** What is said without an answer. */
export interface Remarks {
  delivered: { room: RoomId; seq: number };
  typing: { room: RoomId; on: boolean };
  signal: { room: RoomId; kind: string; data: string };
}

export interface ClientLimits {
  message_bytes_max: number; text_bytes_max: number; requests_in_flight_max: number;
  resume_events_max: number; watch_max: number; page_max: number;
}
export interface RoomState {
  room: RoomId; kind: RoomKind; settings: RoomSettings; role: Role; head: number; ordinal: number; at: number;
  read_seq: number; read_ordinal: number; unread_from?: number | null; mentions?: number[]; draft?: string;
  peer?: UserId | null; members: number;
}
export interface Ready {
  level: number; user: UserId; login: LoginId; device: DeviceId; installation: InstallationId; now: number;
  heartbeat_ms: number; limits: ClientLimits; rooms: RoomState[];
}
export interface Done { id: number; room?: RoomId | null; seq?: number | null; ordinal?: number | null; at?: number | null }
export interface Refusal { id: number; code: string; message: string; retry_after_ms?: number | null }
export interface Gap { room: RoomId; from: number; to: number }
export interface Behind { room: RoomId; head: number }
export interface TypingNow { room: RoomId; users: UserId[]; count: number }
export interface ReadMark { user: UserId; seq?: number; delivered?: number; ordinal?: number; unread_from?: number | null }
export interface UserStatus { user: UserId; status: Status; last_seen?: number | null }
export interface Page { room: RoomId; from: number; to: number; head: number; ordinal: number; events: Event[]; marks: Event[] }

export type ServerEvent =
  | { ready: Ready }
  | { ok: Done }
  | { error: Refusal }
  | { event: Event }
  | { room: RoomState }
  | { gap: Gap }
  | { behind: Behind }
  | { typing: TypingNow }
  | { read: { room: RoomId; marks: ReadMark[] } }
  | { presence: { users: UserStatus[] } }
  | { online: { room: RoomId; count: number } }
  | { draft: { room: RoomId; text: string } }
  | { notify: { room: RoomId; seq: number; user: UserId } }
  | { history: Page & { id: number } }
  | { state_hash: { id: number; room: RoomId; from: number; to: number; hash: string } }
  | { signal: { room: RoomId; user: UserId; kind: string; data: string } }
  | { draining: Record<never, never> }
  | { reconnect: { delay_ms: number } }
  | { pong: { id: number } };

export interface Tokens { user: UserId; login: LoginId; access: string; expires_in_s: number; refresh?: string | null }
export interface Profile { id: UserId; name: string; display: string; admin?: boolean; status: Status; last_seen?: number | null }
export interface Device {
  login: LoginId; device: DeviceId; label: string; address: string; created_at: number; last_used: number; current: boolean;
}
export interface MemberEntry { user: UserId; role: Role }
export interface ChannelEntry { room: RoomId; settings: RoomSettings; joined: boolean }
export interface ReceiptEntry { user: UserId; seq: number; delivered: number }
export interface Problem { type: string; title: string; status: number; code: string; number: number; detail: string; temporary: boolean; request?: string | null }
