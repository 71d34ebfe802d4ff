// Several pages of one browser: one socket between them, the same to be seen in each, and no loss when the page that holds it is closed.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, api: Api, ann: Person, ben: Person, room: string, other: string, a: Tab, b: Tab;
const open = new Set<object>();

/** Counts the sockets that a page holds. */
function count(page: Page) {
  page.on('websocket', (socket) => { open.add(socket); socket.on('close', () => open.delete(socket)); });
}

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  api = new Api(node.url);
  [ann, ben] = [await api.person('Ann'), await api.person('Ben')];
  room = await api.room(ann, 'group', { name: 'Shared' }, [ben]);
  other = await api.room(ann, 'group', { name: 'Other' }, [ben]);
  b = await Tab.signedIn(browser, node.url, ben);
  await b.enter(room);
  a = await Tab.open(browser, node.url);
  count(a.page);
  await a.signIn(ann);
  await a.enter(room);
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

const numbered = (prefix: string, from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${prefix} ${from + n}`);
const texts = (tab: Tab, prefix: string) => async () => (await tab.texts).filter((text) => text.startsWith(prefix));

/** One more page of Ann's browser, in the room. */
async function another(): Promise<Tab> {
  const page = await a.context.newPage();
  count(page);
  await page.goto(`${node.url}/r/${room}`);
  const tab = a.beside(page);
  await tab.composer.waitFor();
  return tab;
}

test('a second page shows what the first shows, live, through the one socket', async () => {
  await b.say('before the second');
  await a.message('before the second').waitFor();
  const second = await another();
  await second.message('before the second').waitFor();
  for (let n = 0; n < 6; n++) {
    await (n % 2 ? second : a).say(`twin ${n}`);
    await b.message(`twin ${n}`).waitFor();
  }
  for (const tab of [a, b, second]) await eventually(texts(tab, 'twin')).toEqual(numbered('twin', 0, 6));
  expect((await api.texts(ann, room)).filter((text) => text.startsWith('twin'))).toEqual(numbered('twin', 0, 6));
  await b.composer.pressSequentially('typing');
  await second.page.getByText('Ben is typing').waitFor();
  await b.composer.fill('');
  expect(open.size).toBe(1);
  await second.page.close();
});

test('what is read, drafted or marked in one page shows in the other', async () => {
  const second = await another();
  const mark = (tab: Tab) => tab.page.locator(`[data-room="${other}"] [data-mark]`);
  await api.post(ben, other, 'news elsewhere');
  for (const tab of [a, second]) await eventually(() => mark(tab).count()).toBe(1);
  await second.enter(other);
  await second.message('news elsewhere').waitFor();
  await eventually(() => mark(a).count()).toBe(0);
  await second.composer.pressSequentially('half of it');
  await a.page.locator(`[data-room="${other}"][data-draft]`).waitFor();
  await a.enter(other);
  await eventually(() => a.composer.inputValue()).toBe('half of it');
  await a.composer.fill('');
  await eventually(() => second.composer.inputValue()).toBe('');
  await a.enter(room);
  await second.page.close();
});

test('the page with the socket is closed while both write: the other takes over, nothing is lost or doubled', async () => {
  const second = await another();
  await b.say('ready for it');
  await second.message('ready for it').waitFor();
  for (let n = 0; n < 4; n++) await a.say(`mine ${n}`);
  for (let n = 0; n < 4; n++) await second.say(`yours ${n}`);
  await a.page.close();
  for (let n = 4; n < 8; n++) await second.say(`yours ${n}`);
  await eventually(texts(b, 'yours')).toEqual(numbered('yours', 0, 8));
  await b.say('and back');
  await second.message('and back').waitFor();
  await eventually(texts(second, 'mine')).toEqual(numbered('mine', 0, 4));
  await eventually(() => second.list.locator('article:not([data-state="done"])').count()).toBe(0);
  const kept = await api.texts(ann, room);
  expect(kept.filter((text) => text.startsWith('mine'))).toEqual(numbered('mine', 0, 4));
  expect(kept.filter((text) => text.startsWith('yours'))).toEqual(numbered('yours', 0, 8));
  a = second;
});

test('the node is killed under two pages: both are back, through one socket', async () => {
  const second = await another();
  await node.kill();
  await a.say('while away 0');
  await second.say('while away 1');
  for (const tab of [a, second]) await tab.page.locator('[data-banner="away"]').waitFor();
  await node.run();
  for (const tab of [a, second]) await tab.page.locator('[data-banner="away"]').waitFor({ state: 'detached' });
  for (const tab of [a, b, second]) await eventually(texts(tab, 'while away')).toEqual(numbered('while away', 0, 2));
  await second.page.close();
});

test('signed out in one page, signed out in all', async () => {
  const second = await another();
  await second.page.getByRole('button', { name: 'You: status and settings' }).click();
  await second.page.getByRole('button', { name: 'Sign out' }).click();
  await a.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  await a.signIn(ann);
  await a.enter(room);
  await a.say('back again');
  await b.message('back again').waitFor();
  await second.page.close();
});
