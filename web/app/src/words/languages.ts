// Which languages the page speaks, and which of them somebody gets. Pure.

export const LANGUAGES = { en: 'English', de: 'Deutsch', ar: 'العربية' } as const;
export type Language = keyof typeof LANGUAGES;

/** What was chosen by hand; `browser`: nothing. */
export type Choice = Language | 'browser';

const RIGHT_TO_LEFT: ReadonlySet<Language> = new Set(['ar']);

export const isLanguage = (text: string | null): text is Language => text !== null && Object.hasOwn(LANGUAGES, text);
export const directionOf = (language: Language): 'ltr' | 'rtl' => (RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr');

const primary = (tag: string): string => tag.toLowerCase().split('-')[0]!;

/** The chosen one, else the first of the browser's languages that there are words in, else English. */
export const languageOf = (choice: Choice, browser: readonly string[]): Language =>
  choice !== 'browser' ? choice : (browser.map(primary).find(isLanguage) ?? 'en');

/** With the region that the browser names, since days and clocks differ by it: en-GB, de-CH, ar-EG. */
export const localeOf = (language: Language, browser: readonly string[]): string => browser.find((tag) => primary(tag) === language) ?? language;
