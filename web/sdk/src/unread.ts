// What a person has not read, by subtraction of ordinals. Pure; never counted up and down.

import { eventAt, type RoomLog } from './log';
import type { Event, RoomState, UserId } from './types';

export function unreadOf(state: RoomState, log: RoomLog): number {
  const ordinal = Math.max(state.ordinal, log.ordinal);
  const since = Math.max(0, ordinal - state.read_ordinal);
  if (state.unread_from == null) return since;
  const from = eventAt(log, state.unread_from);
  return from ? Math.max(1, ordinal - from.ordinal + 1) : Math.max(1, since);
}

/** The seq after which "New" stands, or null when all is read. */
export function newFrom(state: RoomState, log: RoomLog): number | null {
  if (state.unread_from != null) return state.unread_from;
  return unreadOf(state, log) > 0 ? state.read_seq + 1 : null;
}

const MENTION = /<@([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})>/gi;

export function mentioned(text: string): UserId[] {
  return [...new Set(Array.from(text.matchAll(MENTION), (match) => match[1]!.toLowerCase()))];
}

/** A live event moves the room's head, and maybe its mentions, settings and one's role. */
export function advance(state: RoomState, event: Event, me: UserId): RoomState {
  if (event.seq <= state.head) return state;
  const next = { ...state, head: event.seq, ordinal: event.ordinal, at: event.at };
  const { body } = event;
  if (body === 'erased') return next;
  if ('settings' in body) next.settings = body.settings;
  if ('member' in body) {
    next.members = body.member.members;
    if (body.member.user === me && body.member.role) next.role = body.member.role;
  }
  if ('message' in body && event.user !== me && mentioned(body.message.text).includes(me)) {
    next.mentions = [...(state.mentions ?? []), event.seq].slice(-100);
  }
  return next;
}

/** The marker only rises; `unread_from` is set and taken back apart from it. */
export function raiseRead(state: RoomState, seq: number, ordinal: number): RoomState {
  if (seq <= state.read_seq && ordinal <= state.read_ordinal) return state;
  const read_seq = Math.max(seq, state.read_seq);
  const mentions = (state.mentions ?? []).filter((mention) => mention > read_seq);
  return { ...state, read_seq, read_ordinal: Math.max(ordinal, state.read_ordinal), mentions };
}
