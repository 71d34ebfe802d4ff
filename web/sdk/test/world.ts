// A room's events as a node would journal them, made from a list of small numbers; and pages of them as a node would answer.

import { targetOf } from '../src/marks';
import type { Event, EventBody, Page } from '../src/types';

export const ROOM = '0190a000-0000-7000-8000-00000000aaaa';
export const user = (n: number): string => `0190a000-0000-7000-8000-0000000000${(10 + (n % 5)).toString(16).padStart(2, '0')}`;

export interface Step { kind: number; who: number; what: number }

export function journal(steps: Step[]): Event[] {
  const events: Event[] = [];
  let ordinal = 0;
  const add = (who: number, body: EventBody) => {
    if (body !== 'erased' && 'message' in body) ordinal++;
    const seq = events.length + 1;
    events.push({ room: ROOM, seq, ordinal, at: 1_700_000_000_000 + seq, user: user(who), cmid: `0190a000-0000-7000-8000-${String(seq).padStart(12, '0')}`, body });
  };
  add(0, { created: { kind: 'group', settings: { name: 'r' }, members: [0, 1, 2].map((n) => ({ user: user(n), role: n ? 'member' : 'owner' })) } });
  for (const { kind, who, what } of steps) {
    const messages = events.filter((event) => event.body !== 'erased' && 'message' in event.body);
    const target = messages[what % Math.max(1, messages.length)]?.seq;
    if (kind < 4 || target === undefined) add(who, { message: { text: `text ${what}` } });
    else if (kind === 4) add(who, { edit: { target, text: `edited ${what}` } });
    else if (kind === 5) add(who, { delete: { target } });
    else if (kind === 6) add(who, { react: { target, emoji: ['👍', '🎉', 'é'][what % 3]!, on: what % 4 !== 0 } });
    else if (kind === 7) add(who, { pin: { target, on: what % 2 === 0 } });
    else if (kind === 8) add(0, { member: { user: user(who), role: what % 2 ? 'member' : null, members: 3 + (what % 2) } });
    else add(0, { settings: { name: `name ${what}`, topic: 'é'.repeat(what % 40), public: what % 2 === 0 } });
  }
  return events;
}

/** What a node answers for `from..=to` when `head` events have happened: later marks, the last of each kind. */
export function page(all: Event[], from: number, to: number, head: number): Page {
  const events = all.slice(from - 1, to);
  const last = new Map<string, Event>();
  for (const event of all.slice(to, head)) {
    const target = targetOf(event);
    if (target === null || target < from || target > to) continue;
    const body = event.body as Exclude<EventBody, string>;
    const kind = Object.keys(body)[0]!;
    last.set('react' in body ? `${target} ${kind} ${event.user} ${body.react.emoji}` : `${target} ${kind}`, event);
  }
  return { room: ROOM, from, to, head, ordinal: all[head - 1]!.ordinal, events, marks: [...last.values()] };
}
