// The protocol's types, as generated, and the few shapes that only the SDK needs: what is kept in the outbox, what a request takes.

import type { ClientDraft, ClientHistory, ClientPresence, ClientRead, ClientSignal, ClientStateHash, ClientTyping, Cmid, Create, Delete, Delivered, Edit, Invite, Join, Kick, Leave, Ping, Pin, Post, React, RoomId, SetRole, Settings, Unread, Watch } from './generated/types';

export type * from './generated/types';

/** What makes an ordered request happen once. */
export interface Order { id: number; room: RoomId; cmid: Cmid; after: number; prev?: Cmid }
type Wish<T> = Omit<T, keyof Order>;
/** What an ordered request wants done, without its order. */
export type Act =
  | { post: Wish<Post> } | { edit: Wish<Edit> } | { delete: Wish<Delete> } | { react: Wish<React> } | { pin: Wish<Pin> } | { join: Wish<Join> }
  | { leave: Wish<Leave> } | { invite: Wish<Invite> } | { kick: Wish<Kick> } | { role: Wish<SetRole> } | { create: Wish<Create> } | { settings: Wish<Settings> };

/** Requests outside of a room's order that are answered; the connection adds `id`. */
export interface Requests {
  read: Omit<ClientRead, 'id'>;
  unread: Omit<Unread, 'id'>;
  draft: Omit<ClientDraft, 'id'>;
  presence: Omit<ClientPresence, 'id'>;
  watch: Omit<Watch, 'id'>;
  history: Omit<ClientHistory, 'id'>;
  state_hash: Omit<ClientStateHash, 'id'>;
  ping: Omit<Ping, 'id'>;
}
export type HistoryQuery = Omit<ClientHistory, 'id' | 'room'>;
/** What is said without an answer. */
export interface Remarks { delivered: Delivered; typing: ClientTyping; signal: ClientSignal }
