// What waits in the outbox, shown as if it had happened: own text at its end, own edits, deletions, reactions and pins in their place. Pure.

import { mark, NO_MARKS, type Entry, type Event, type EventBody, type Marks, type Room, type RoomId } from '@hubbub/sdk';

/** Above every seq that a room reaches: what is pending counts as the newest. */
const LATER = 2 ** 52;

export interface Pending { entry: Entry; event: Event }

/** Own messages that are not in the log yet, in the order of writing. */
export function pendingPosts(entries: readonly Entry[], room: RoomId, me: string, known: (seq: number) => boolean): Pending[] {
  return entries.filter((entry) => entry.room === room && 'post' in entry.act && !(entry.state === 'acked' && entry.seq !== undefined && known(entry.seq))).map((entry, i) => ({
    entry,
    event: { room, seq: LATER + i, ordinal: 0, at: entry.at, user: me, cmid: entry.cmid, body: { message: (entry.act as { post: { text: string; reply?: number } }).post } },
  }));
}

/** What is pending about messages of the room, by target. */
export function pendingMarks(entries: readonly Entry[], room: RoomId, me: string): ReadonlyMap<number, readonly Event[]> {
  const found = new Map<number, Event[]>();
  entries.forEach((entry, i) => {
    if (entry.room !== room || 'post' in entry.act || entry.state === 'failed') return;
    const body = entry.act as EventBody;
    const target = body !== 'erased' && ('edit' in body ? body.edit.target : 'delete' in body ? body.delete.target : 'react' in body ? body.react.target : 'pin' in body ? body.pin.target : null);
    if (!target) return;
    found.set(target, [...(found.get(target) ?? []), { room, seq: LATER + i, ordinal: 0, at: entry.at, user: me, cmid: entry.cmid, body }]);
  });
  return found;
}

export function marksWith(room: Room | undefined, pending: ReadonlyMap<number, readonly Event[]>, seq: number): Marks {
  const marks = room?.log.marks.get(seq) ?? NO_MARKS;
  return (pending.get(seq) ?? []).reduce(mark, marks);
}
