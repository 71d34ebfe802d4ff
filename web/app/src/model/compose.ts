// Between what a person sees in the composer and what is sent: `@Ann Lee` there, `<@user-id>` on the wire. Pure.

import { personName } from './names';
import type { State } from './state';

export interface Pick { label: string; id: string }

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export function toWire(text: string, picks: readonly Pick[]): string {
  const labels = [...new Map(picks.map((pick) => [pick.label, pick])).values()].sort((a, b) => b.label.length - a.label.length);
  return labels.reduce((all, { label, id }) => all.replace(new RegExp(`@${escape(label)}(?![\\p{L}\\p{N}_])`, 'gu'), `<@${id}>`), text);
}

export function fromWire(text: string, people: State['people']): { text: string; picks: Pick[] } {
  const picks: Pick[] = [];
  const shown = text.replace(/<@([0-9a-f-]{36})>/gi, (_, id: string) => {
    const label = personName(people, id.toLowerCase());
    picks.push({ label, id: id.toLowerCase() });
    return `@${label}`;
  });
  return { text: shown, picks };
}

/** The word that is being completed before the caret: `@an`, `:smi`. */
export function completing(text: string, caret: number): { kind: '@' | ':'; from: number; query: string } | null {
  const match = /(?:^|[\s(])([@:])([\p{L}\p{N}_.+-]{0,30})$/u.exec(text.slice(0, caret));
  if (!match || (match[1] === ':' && match[2]!.length < 2)) return null;
  return { kind: match[1] as '@' | ':', from: caret - match[2]!.length - 1, query: match[2]!.toLowerCase() };
}

/** How well a name answers a query; 0: not at all. */
export function score(query: string, ...names: string[]): number {
  let best = 0;
  for (const name of names.map((each) => each.toLowerCase())) {
    if (name === query) best = Math.max(best, 5);
    else if (name.startsWith(query)) best = Math.max(best, 4);
    else if (name.split(/[\s._-]+/).some((word) => word.startsWith(query))) best = Math.max(best, 3);
    else if (name.includes(query)) best = Math.max(best, 2);
    else if (isScattered(query, name)) best = Math.max(best, 1);
  }
  return best;
}

function isScattered(query: string, name: string): boolean {
  let at = 0;
  for (const letter of name) if (letter === query[at]) at++;
  return at === query.length;
}
