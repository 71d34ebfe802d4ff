// How rooms and people are called, and in which order rooms stand. Pure but for the language of the page.

import { unreadOf, type Profile, type Room, type RoomId, type UserId } from '@hubbub/sdk';
import type { State } from './state';
import { listOf, say } from '../words';

export const personName = (people: State['people'], id: UserId): string => people[id]?.display || people[id]?.name || say('names.somebody');

export function roomName(room: Room, people: State['people'], members?: readonly { user: UserId }[], me?: string): string {
  const { kind, settings, peer } = room.state;
  if (kind === 'direct') return peer ? (peer === me ? say('names.self', { name: personName(people, peer) }) : personName(people, peer)) : say('names.direct');
  if (settings.name) return settings.name;
  const others = members?.filter((member) => member.user !== me).map((member) => personName(people, member.user)).slice(0, 4);
  return others && others.length > 0 ? listOf(others) : say(kind === 'workspace' ? 'names.workspace' : kind === 'channel' ? 'names.channel' : 'names.group');
}

export const initials = (name: string): string => {
  const words = name.split(/[\s_.-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!].map((word) => [...word][0]) : [...(words[0] ?? '?')].slice(0, 2);
  return letters.join('').toUpperCase();
};

/** Hues that are told apart at a glance. */
const HUES = [15, 38, 65, 95, 135, 165, 192, 222, 250, 278, 305, 340];

/** A hue that stays with the id. */
export function hueOf(id: string): number {
  let hash = 2166136261;
  for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return HUES[((hash ^ (hash >>> 15)) >>> 0) % HUES.length]!;
}

export interface Mark { unread: number; mentions: number }

export const markOf = (room: Room): Mark => ({
  unread: room.state.kind === 'workspace' ? 0 : unreadOf(room.state, room.log),
  mentions: room.state.mentions?.length ?? 0,
});

/** Rooms of the list, in its order: channels by name, then conversations by their last message. */
export function listed(rooms: State['rooms'], workspace: RoomId | null, people: State['people'], me: string): { channels: Room[]; talks: Room[] } {
  const all = Object.values(rooms);
  const channels = all.filter((room) => room.state.kind === 'channel' && !room.state.settings.archived && (!room.state.settings.workspace || room.state.settings.workspace === workspace || !rooms[room.state.settings.workspace]));
  const talks = all.filter((room) => room.state.kind === 'direct' || room.state.kind === 'group');
  channels.sort((a, b) => roomName(a, people, undefined, me).localeCompare(roomName(b, people, undefined, me)));
  talks.sort((a, b) => b.state.at - a.state.at);
  return { channels, talks };
}

export const workspaces = (rooms: State['rooms']): Room[] =>
  Object.values(rooms).filter((room) => room.state.kind === 'workspace').sort((a, b) => (a.state.settings.name ?? '').localeCompare(b.state.settings.name ?? ''));

export type { Profile };
