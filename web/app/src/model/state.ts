// What the screens read. Plain values in one store; only the engine writes them. No requests here.

import type { ConnectionState, Entry, MemberEntry, Profile, Room, RoomId, Status, UserId } from '@hubbub/sdk';
import { create } from 'zustand';

export interface Here { status: Status; last_seen?: number | null }
export interface Typing { users: UserId[]; count: number }

/** What keeps the page from going on. */
export type Why = 'revoked' | 'outdated';

export interface State {
  phase: 'boot' | 'out' | 'in';
  /** Why one was signed out, when that was not one's own doing. */
  why: Why | null;
  me: UserId;
  admin: boolean;
  connection: ConnectionState;
  /** Since when there is no connection; 0 while there is one. */
  awaySince: number;
  /** `ready` came at least once since the page opened. */
  greeted: boolean;
  rooms: Readonly<Record<RoomId, Room>>;
  outbox: readonly Entry[];
  people: Readonly<Record<UserId, Profile>>;
  here: Readonly<Record<UserId, Here>>;
  typing: Readonly<Record<RoomId, Typing>>;
  online: Readonly<Record<RoomId, number>>;
  drafts: Readonly<Record<RoomId, string>>;
  members: Readonly<Record<RoomId, readonly MemberEntry[]>>;
  workspace: RoomId | null;
  updateReady: boolean;
  toast: { text: string; id: number } | null;
}

export const START: State = {
  phase: 'boot', why: null, me: '', admin: false, connection: 'idle', awaySince: 0, greeted: false, rooms: {}, outbox: [], people: {}, here: {},
  typing: {}, online: {}, drafts: {}, members: {}, workspace: null, updateReady: false, toast: null,
};

export const useApp = create<State>(() => START);
export const getApp = useApp.getState;
export const setApp = useApp.setState;

let toasts = 0;
export const toast = (text: string): void => setApp({ toast: { text, id: ++toasts } });
