// Sentences and lists that hold elements: a name in bold, a link. The same phrases as `say`.

import { Fragment, type ReactNode } from 'react';
import { numberOf, spoken, type Key } from '.';
import type { English } from './en';
import { formOf, pieces, type Phrase, type Told } from './phrase';

export function sayNodes<K extends Key>(key: K, ...[told]: Told<English[K], ReactNode>): ReactNode {
  const { phrases, plural } = spoken();
  const values = (told ?? {}) as Readonly<Record<string, ReactNode>>;
  return pieces(formOf(phrases[key] as Phrase, plural, values.count)).map((piece, i) => {
    if (i % 2 === 0) return piece;
    const value = values[piece];
    return <Fragment key={i}>{typeof value === 'number' ? numberOf(value) : value}</Fragment>;
  });
}

/** Ann, Ben and Cat, as elements. */
export function listNodes(items: readonly ReactNode[]): ReactNode {
  return spoken().list.formatToParts(items.map((_, i) => String(i))).map(({ type, value }, i) => <Fragment key={i}>{type === 'element' ? items[Number(value)] : value}</Fragment>);
}
