// What later events said about a message: edits, deletion, reactions, pin. Pure.
// Order does not matter: per (kind, user, emoji) the higher seq wins, and a deletion is final. So pages and live events may meet in any order.

import type { Event, UserId } from './types';

export interface Edit { seq: number; at: number; text: string }
export interface Marks {
  /** Rising seq; the last one is what the message says now. May lack early ones: a page tells only the last. */
  readonly edits: readonly Edit[];
  readonly deleted: { seq: number; user: UserId; reason?: string | null } | null;
  readonly pin: { seq: number; on: boolean; user: UserId } | null;
  /** By emoji, then by user. */
  readonly reactions: ReadonlyMap<string, ReadonlyMap<UserId, { seq: number; on: boolean }>>;
}

export const NO_MARKS: Marks = { edits: [], deleted: null, pin: null, reactions: new Map() };

/** The message that an event speaks about, if it does. */
export function targetOf(event: Event): number | null {
  const body = event.body;
  if (body === 'erased') return null;
  if ('edit' in body) return body.edit.target;
  if ('delete' in body) return body.delete.target;
  if ('react' in body) return body.react.target;
  if ('pin' in body) return body.pin.target;
  return null;
}

export function mark(marks: Marks, event: Event): Marks {
  const { body, seq, user } = event;
  if (body === 'erased') return marks;
  if ('edit' in body) {
    if (marks.edits.some((edit) => edit.seq === seq)) return marks;
    const edits = [...marks.edits, { seq, at: event.at, text: body.edit.text }].sort((a, b) => a.seq - b.seq);
    return { ...marks, edits };
  }
  if ('delete' in body) {
    return marks.deleted && marks.deleted.seq <= seq ? marks : { ...marks, deleted: { seq, user, reason: body.delete.reason } };
  }
  if ('pin' in body) {
    return marks.pin && marks.pin.seq >= seq ? marks : { ...marks, pin: { seq, on: body.pin.on, user } };
  }
  if ('react' in body) {
    const { emoji, on } = body.react;
    const users = marks.reactions.get(emoji);
    const known = users?.get(user);
    if (known && known.seq >= seq) return marks;
    const reactions = new Map(marks.reactions);
    reactions.set(emoji, new Map(users).set(user, { seq, on }));
    return { ...marks, reactions };
  }
  return marks;
}

export interface Reaction { emoji: string; users: UserId[] }

/** The reactions that stand, the oldest first. */
export function standing(marks: Marks): Reaction[] {
  if (marks.deleted) return [];
  const found: (Reaction & { first: number })[] = [];
  for (const [emoji, users] of marks.reactions) {
    const on = [...users].filter(([, each]) => each.on).sort((a, b) => a[1].seq - b[1].seq);
    if (on.length > 0) found.push({ emoji, users: on.map(([user]) => user), first: on[0]![1].seq });
  }
  return found.sort((a, b) => a.first - b.first).map(({ emoji, users }) => ({ emoji, users }));
}

export const isPinned = (marks: Marks): boolean => !marks.deleted && marks.pin?.on === true;
