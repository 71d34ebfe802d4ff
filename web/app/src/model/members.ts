// Who is in a room, as it changes, and in which order people are listed. Pure.

import type { MemberEntry, Role, UserId } from '@hubbub/sdk';
import { personName } from './names';
import type { State } from './state';

export const RANK: Record<Role, number> = { owner: 0, moderator: 1, member: 2, guest: 3 };

/** Somebody came, or has another role, or (`null`) is gone. */
export function withMember(members: readonly MemberEntry[], user: UserId, role: Role | null): readonly MemberEntry[] {
  if (role === null) return members.filter((member) => member.user !== user);
  if (members.some((member) => member.user === user)) return members.map((member) => (member.user === user ? { user, role } : member));
  return [...members, { user, role }];
}

export const isAway = (here: State['here'], user: UserId): boolean => ['offline', 'invisible'].includes(here[user]?.status ?? 'offline');

/** Who is here first, then by role, then by name. */
export function listed(members: readonly MemberEntry[], here: State['here'], people: State['people'], words: Intl.Collator): MemberEntry[] {
  const keyed = members.map((member) => ({ member, rank: (isAway(here, member.user) ? 10 : 0) + RANK[member.role], name: personName(people, member.user) }));
  return keyed.sort((a, b) => a.rank - b.rank || words.compare(a.name, b.name)).map(({ member }) => member);
}
