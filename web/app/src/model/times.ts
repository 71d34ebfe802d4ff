// How moments are said, in the language of the page. Pure but for that, and for the zone of the browser.

import { say, spoken } from '../words';

const made = new Map<string, ReturnType<typeof make>>();
const make = (locale: string) => ({
  clock: new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }),
  exact: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' }),
  day: new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }),
  dayWithYear: new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' }),
  short: new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' }),
  week: new Intl.DateTimeFormat(locale, { weekday: 'short' }),
  relative: new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }),
});

function formats() {
  const { locale } = spoken();
  const known = made.get(locale) ?? make(locale);
  made.set(locale, known);
  return known;
}

const DAY = 86_400_000;
const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

export const clockOf = (at: number): string => formats().clock.format(at);
export const exactOf = (at: number): string => formats().exact.format(at);
/** The hour and the minute alone, where there is little room. */
export const bareClockOf = (at: number): string => formats().clock.formatToParts(at).filter(({ type }) => type !== 'dayPeriod').map(({ value }) => value).join('').trim();

export function dayOf(at: number, now = Date.now()): string {
  const { relative, day, dayWithYear } = formats();
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  if (days === 0 || days === 1) return capital(relative.format(-days, 'day'));
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? day.format(at) : dayWithYear.format(at);
}

export function briefOf(at: number, now = Date.now()): string {
  const { clock, week, short } = formats();
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  return days === 0 ? clock.format(at) : days < 7 && days > 0 ? week.format(at) : short.format(at);
}

export function agoOf(at: number, now = Date.now()): string {
  const { relative } = formats();
  const seconds = Math.round((at - now) / 1000);
  if (seconds > -60) return say('time.now');
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
