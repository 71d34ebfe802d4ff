// The words of the page in one language at a time: sentences by key, numbers and lists as that language writes them. Moments are in model/times.
// A catalogue is loaded when it is first used. The screens are drawn anew when the language changes (App), so they ask without subscribing.

import { useSyncExternalStore } from 'react';
import type { Catalogue, English, Key } from './en';
import { directionOf, isLanguage, languageOf, LANGUAGES, localeOf, type Choice, type Language } from './languages';
import { formOf, pieces, setOff, type Phrase, type Told } from './phrase';

interface Words {
  readonly language: Language;
  /** The language with a region, for `Intl`. */
  readonly locale: string;
  readonly direction: 'ltr' | 'rtl';
  readonly phrases: Catalogue;
  readonly plural: Intl.PluralRules;
  readonly number: Intl.NumberFormat;
  readonly list: Intl.ListFormat;
}

const CATALOGUES: Record<Language, () => Promise<{ default: Catalogue }>> = { en: () => import('./en'), de: () => import('./de'), ar: () => import('./ar') };
const KEPT = 'hubbub.language';

let now: Words | null = null;
const listeners = new Set<() => void>();

/** What is spoken now. */
export function spoken(): Words {
  if (!now) throw new Error('no catalogue is loaded yet');
  return now;
}

/** From here on the words are those of `phrases`. */
export function speak(language: Language, phrases: Catalogue, locale: string = language): void {
  now = {
    language, locale, phrases, direction: directionOf(language), plural: new Intl.PluralRules(locale), number: new Intl.NumberFormat(locale),
    list: new Intl.ListFormat(locale),
  };
  for (const tell of listeners) tell();
}

export function say<K extends Key>(key: K, ...[told]: Told<English[K], string | number>): string {
  const { phrases, plural, direction, number } = spoken();
  const values = (told ?? {}) as Readonly<Record<string, string | number>>;
  return pieces(formOf(phrases[key] as Phrase, plural, values.count)).map((piece, i) => {
    if (i % 2 === 0) return piece;
    const value = values[piece] ?? '';
    return typeof value === 'number' ? number.format(value) : setOff(value, direction);
  }).join('');
}

export const numberOf = (count: number): string => spoken().number.format(count);
/** Counts on marks are cut, so that they stay small. */
export const countOf = (count: number, most: number): string => (count > most ? `${numberOf(most)}+` : numberOf(count));
export const listOf = (items: readonly string[]): string => spoken().list.format(items);

/** Chosen on this device. */
export function choice(): Choice {
  const kept = localStorage.getItem(KEPT);
  return isLanguage(kept) ? kept : 'browser';
}

/** Loads the words that this device is to have, and says so to the page. Any that can be had is better than none. */
export async function openWords(): Promise<void> {
  const wanted = languageOf(choice(), navigator.languages);
  for (const language of new Set([wanted, 'en' as const])) {
    const loaded = await CATALOGUES[language]().catch(() => null);
    if (loaded) return turn(language, loaded.default);
  }
  throw new Error('no words could be loaded');
}

/** Kept on this device. Throws when the words cannot be loaded; then all stays as it was. */
export async function choose(to: Choice): Promise<void> {
  const language = languageOf(to, navigator.languages);
  const loaded = await CATALOGUES[language]();
  if (to === 'browser') localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, to);
  turn(language, loaded.default);
}

function turn(language: Language, phrases: Catalogue): void {
  const root = document.documentElement;
  root.lang = language;
  root.dir = directionOf(language);
  speak(language, phrases, localeOf(language, navigator.languages));
}

/** For the one place that draws everything anew. */
export const useLanguage = (): Language => useSyncExternalStore((tell) => { listeners.add(tell); return () => listeners.delete(tell); }, () => spoken().language);

export { LANGUAGES, type Choice, type Key, type Language };
