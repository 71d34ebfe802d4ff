// Three people at three nodes, in one room. Each node is killed in its turn, the room's owner among them, while all write: whoever was
// there goes to another, nobody misses or doubles a line, and nobody is told of an error.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { Group } from '../src/group';

const NAMES = ['Ann', 'Ben', 'Cleo'];
const LINES = 12;
let group: Group, browser: Browser, people: Person[], room: string, tabs: Tab[];

beforeAll(async () => {
  [group, browser] = await Promise.all([Group.start(NAMES.length), openBrowser()]);
  const api = new Api(group.urls[0]!);
  people = [];
  for (const name of NAMES) people.push(await api.person(name));
  room = await api.room(people[0]!, 'group', { name: 'Three nodes' }, people.slice(1));
  tabs = [];
  for (const [n, person] of people.entries()) {
    tabs.push(await Tab.signedIn(browser, group.urls[n]!, person));
    await tabs[n]!.enter(room);
  }
  // How long each was told that the connection is away, in milliseconds.
  for (const { page } of tabs) {
    await page.evaluate(() => {
      const told: number[] = ((window as never as { told: number[] }).told = []);
      let since = 0;
      setInterval(() => {
        const away = document.querySelector('[data-banner="away"]') !== null;
        if (away && !since) since = performance.now();
        if (!away && since) { told.push(Math.round(performance.now() - since)); since = 0; }
      }, 20);
    });
  }
}, 120_000);
afterAll(async () => { await browser?.close(); await group?.stop(); });

const of = (texts: string[], name: string) => texts.filter((text) => text.startsWith(`${name} `));

test('each of three nodes is killed while three people write at them: every line is there once, in each one\'s order, and no error is shown', async () => {
  for (const [round] of NAMES.entries()) {
    const write = async (tab: Tab, name: string, n: number) => { await tab.say(`${name} ${round * LINES + n}`); };
    const half = async (from: number, to: number) => {
      for (let n = from; n < to; n++) await Promise.all(tabs.map((tab, t) => write(tab, NAMES[t]!, n)));
    };
    await half(0, LINES / 2);
    const killed = group.kill(round);
    await half(LINES / 2, LINES);
    await killed;
    for (const tab of tabs) for (const name of NAMES) await tab.message(`${name} ${(round + 1) * LINES - 1}`).last().waitFor({ timeout: 30_000 });
    await group.run(round);
  }
  const all = (name: string) => Array.from({ length: NAMES.length * LINES }, (_, n) => `${name} ${n}`);
  const api = new Api(group.urls[0]!);
  const stored = await api.texts(people[0]!, room);
  for (const name of NAMES) expect(of(stored, name)).toEqual(all(name));
  for (const tab of tabs) {
    await eventually(async () => (await tab.texts).at(-1)).toEqual(stored.at(-1));
    expect(await tab.page.locator('[role="alert"], [data-failed]').count()).toBe(0);
    const shown = await tab.texts;
    expect(shown).toEqual(stored.slice(-shown.length));
  }
  for (const [t, tab] of tabs.entries()) console.log(`${NAMES[t]} was told that the connection is away for ${JSON.stringify(await tab.page.evaluate(() => (window as never as { told: number[] }).told))} ms`);
  console.log(group.status(0));
}, 240_000);
