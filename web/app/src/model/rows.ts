// From a span of events to the rows of the list: day lines, sender groups, system lines, the "New" line. Pure.

import type { Event } from '@hubbub/sdk';

export type Row =
  | { kind: 'start'; key: string }
  | { kind: 'day'; key: string; at: number }
  | { kind: 'new'; key: string }
  | { kind: 'message'; key: string; event: Event; first: boolean }
  /** `more`: what the same person did right after, to further people. */
  | { kind: 'system'; key: string; event: Event; more: readonly Event[] };

export interface Rows {
  readonly rows: readonly Row[];
  readonly events: readonly Event[];
  readonly newFrom: number | null;
  readonly me: string;
  /** What the next event is compared with. */
  readonly last: { user: string; at: number } | null;
  readonly day: string;
  readonly newDone: boolean;
}

const GROUP_MS = 5 * 60_000;

/** When it was said: imported messages keep their own time. */
export const timeOf = (event: Event): number =>
  event.body !== 'erased' && 'message' in event.body ? (event.body.message.origin?.at ?? event.at) : event.at;

export const rowKey = (event: Event, me: string): string => (event.user === me ? event.cmid : `s${event.seq}`);

const dayOf = (at: number): string => {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
};

/** The rows of `events`; takes over those of `before` when it only grew at its end. */
export function rowsOf(events: readonly Event[], newFrom: number | null, me: string, before?: Rows): Rows {
  const grown = before && before.newFrom === newFrom && before.me === me && before.events.length > 0 && before.events.length <= events.length
    && before.events[0] === events[0] && before.events.at(-1) === events[before.events.length - 1];
  if (grown && before.events.length === events.length) return before;
  const rows: Row[] = grown ? [...before.rows] : [];
  let { last, day, newDone } = grown ? before : { last: null as Rows['last'], day: '', newDone: newFrom === null };
  if (!grown && events[0]?.seq === 1) rows.push({ kind: 'start', key: 'start' });
  for (const event of grown ? events.slice(before.events.length) : events) {
    const kind = kindOf(event);
    if (!kind) continue;
    const at = timeOf(event);
    const today = dayOf(at);
    // Days are those of messages: who was added when an old conversation was imported says nothing of its days.
    if (kind === 'message' && today !== day) {
      rows.push({ kind: 'day', key: `d${today}-${event.seq}`, at });
      last = null;
      day = today;
    }
    if (!newDone && kind === 'message' && event.seq >= newFrom! && event.user !== me) {
      rows.push({ kind: 'new', key: 'new' });
      newDone = true;
      last = null;
    }
    const key = rowKey(event, me);
    if (kind === 'system') {
      const above = rows.at(-1);
      if (above?.kind === 'system' && isAddition(event) && isAddition(above.event) && above.event.user === event.user) rows[rows.length - 1] = { ...above, more: [...above.more, event] };
      else rows.push({ kind, key, event, more: [] });
      last = null;
      continue;
    }
    const reply = event.body !== 'erased' && 'message' in event.body && event.body.message.reply != null;
    const first = !last || last.user !== event.user || at - last.at > GROUP_MS || reply;
    rows.push({ kind, key, event, first });
    last = { user: event.user, at };
  }
  return { rows, events, newFrom, me, last, day, newDone };
}

/** Somebody brought somebody else in. */
const isAddition = ({ body, user }: Event): boolean => body !== 'erased' && 'member' in body && body.member.role !== null && body.member.user !== user;

function kindOf(event: Event): 'message' | 'system' | null {
  if (event.body === 'erased') return null;
  if ('message' in event.body) return 'message';
  if ('created' in event.body || 'member' in event.body || 'settings' in event.body) return 'system';
  return null;
}
