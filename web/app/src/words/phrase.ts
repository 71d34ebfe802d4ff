// What a phrase is, what it has to be told, and how the one for a count is found. Pure.

/** `{name}` stands for what the phrase is told; a set of forms is chosen from by `{count}`. */
export type Phrase = string | Forms;
export type Forms = { readonly [Form in Intl.LDMLPluralRule]?: string } & { readonly other: string };

type Named<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Named<Rest> : never;
type NamesOf<Of> = Of extends string ? Named<Of> : Named<Of[keyof Of]> | 'count';

/** What is passed with a phrase: nothing when it names nothing. A count is a number. */
export type Told<Of, Value> = [NamesOf<Of>] extends [never] ? [] : [told: { readonly [Name in NamesOf<Of>]: Name extends 'count' ? number : Value }];

/** Text and names, in turns: `text {name} text`. */
export const pieces = (text: string): string[] => text.split(/\{(\w+)\}/);

export function formOf(phrase: Phrase, rules: Intl.PluralRules, count: unknown): string {
  if (typeof phrase === 'string') return phrase;
  return phrase[rules.select(Number(count))] ?? phrase.other;
}

const RIGHT_TO_LEFT_LETTERS = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC]/;
const OTHER_LETTERS = /(?![\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC])\p{L}/u;

/** A name that runs the other way is set off, so that the sentence around it stays in order (Unicode's FSI and PDI). */
export const setOff = (text: string, direction: 'ltr' | 'rtl'): string =>
  (direction === 'rtl' ? OTHER_LETTERS : RIGHT_TO_LEFT_LETTERS).test(text) ? `\u2068${text}\u2069` : text;
