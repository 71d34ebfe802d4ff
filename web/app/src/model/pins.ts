// The pinned messages of a room, from what the node listed and from what is loaded, the newest first. Pure.

import { isPinned, mark, marksOf, NO_MARKS, targetOf, type Event, type Marks, type RoomLog } from '@hubbub/sdk';

export interface Pins { events: readonly Event[]; marks: readonly Event[] }
export interface Pinned { event: Event; text: string }

/** The higher seq wins, whether the list or the log has it. */
export function pinsOf(listed: Pins | null, log: RoomLog): Pinned[] {
  const found = new Map<number, { event: Event; marks: Marks }>();
  for (const event of listed?.events ?? []) found.set(event.seq, { event, marks: NO_MARKS });
  for (const said of listed?.marks ?? []) {
    const known = found.get(targetOf(said) ?? 0);
    if (known) known.marks = mark(known.marks, said);
  }
  for (const { events } of log.spans) for (const event of events) if (isPinned(marksOf(log, event.seq))) found.set(event.seq, { event, marks: found.get(event.seq)?.marks ?? NO_MARKS });
  return [...found.values()].flatMap(({ event, marks: listedMarks }) => {
    const marks = newer(listedMarks, marksOf(log, event.seq));
    if (!isPinned(marks) || event.body === 'erased' || !('message' in event.body)) return [];
    return [{ event, text: marks.edits.at(-1)?.text ?? event.body.message.text }];
  }).sort((a, b) => b.event.seq - a.event.seq);
}

function newer(a: Marks, b: Marks): Marks {
  const edits = [...a.edits, ...b.edits].sort((one, other) => one.seq - other.seq);
  return { edits, reactions: NO_MARKS.reactions, deleted: a.deleted ?? b.deleted, pin: (a.pin?.seq ?? 0) > (b.pin?.seq ?? 0) ? a.pin : b.pin };
}
