// Away and back: a node that is killed, a network that goes, a page that is closed. Nothing is lost, doubled or out of order.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, api: Api, ann: Person, ben: Person, room: string, a: Tab, b: Tab;

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  api = new Api(node.url);
  ann = await api.person('Ann');
  ben = await api.person('Ben');
  room = await api.room(ann, 'group', { name: 'Away' }, [ben]);
  a = await Tab.signedIn(browser, node.url, ann);
  b = await Tab.signedIn(browser, node.url, ben);
  await a.enter(room);
  await b.enter(room);
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

const texts = (tab: Tab, prefix: string) => async () => (await tab.texts).filter((text) => text.startsWith(prefix));
const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix} ${n}`);

test('7: the node is killed with -9 and starts again: both are back by themselves, nothing is lost or doubled', async () => {
  await a.say('kill 0');
  await b.message('kill 0').waitFor();
  await node.kill();
  const killed = Date.now();
  await a.say('kill 1');
  await b.say('other 0');
  expect(await a.page.locator('[data-banner="away"]').count()).toBe(0);
  await a.page.locator('[data-banner="away"]').waitFor();
  expect(Date.now() - killed).toBeGreaterThan(2_500);
  await a.say('kill 2');
  await node.run();
  await a.page.locator('[data-banner="away"]').waitFor({ state: 'detached' });
  await eventually(texts(b, 'kill')).toEqual(numbered('kill', 3));
  await eventually(texts(a, 'other')).toEqual(['other 0']);
  await eventually(texts(a, 'kill')).toEqual(numbered('kill', 3));
  expect((await api.texts(ann, room)).filter((text) => text.startsWith('kill'))).toEqual(numbered('kill', 3));
});

test('the word that the connection is away lies over the page: nothing moves when it comes or goes', async () => {
  await a.say('stay put');
  await a.message('stay put').locator('[data-ticks="sent"], [data-ticks="delivered"], [data-ticks="read"]').waitFor();
  const boxes = () => a.page.evaluate(() => ['nav[aria-label="Rooms"]', '[aria-label="Room"] header', '[role="log"]', 'textarea', '[role="log"] article:last-of-type'].map((each) => {
    const { x, y, width, height } = document.querySelector(each)!.getBoundingClientRect();
    return [each, x, y, width, height];
  }));
  const before = await boxes();
  await node.kill();
  await a.page.locator('[data-banner="away"]').waitFor();
  expect(await boxes()).toEqual(before);
  await node.run();
  await a.page.locator('[data-banner="away"]').waitFor({ state: 'detached' });
  expect(await boxes()).toEqual(before);
});

test('a network that goes is told of soon, though nobody closes the line, and no more when it is back', async () => {
  await a.context.setOffline(true);
  await a.page.locator('[data-banner="away"]').waitFor();
  await a.context.setOffline(false);
  await a.page.locator('[data-banner="away"]').waitFor({ state: 'detached' });
  await b.say('after the network');
  await a.message('after the network').waitFor();
});

test('29: what is written offline waits, survives a reload, and goes out in order', async () => {
  await a.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await a.context.setOffline(true);
  for (const text of numbered('offline', 3)) await a.say(text);
  expect(await a.message('offline').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.state))).not.toContain('done');
  await a.page.reload();
  await eventually(texts(a, 'offline')).toEqual(numbered('offline', 3));
  await a.say('offline 3');
  await a.context.setOffline(false);
  await eventually(texts(b, 'offline'), 30_000).toEqual(numbered('offline', 4));
  await eventually(texts(a, 'offline')).toEqual(numbered('offline', 4));
  expect((await api.texts(ann, room)).filter((text) => text.startsWith('offline'))).toEqual(numbered('offline', 4));
});

test('8: everything that happened while a page was away is there when it is back: messages, edits, deletions, reactions', async () => {
  await b.say('will be edited');
  await b.say('will be deleted');
  await a.message('will be deleted').waitFor();
  await a.context.setOffline(true);
  await b.composer.press('Escape');
  await b.tool('will be edited', 'Edit');
  await b.composer.fill('has been edited');
  await b.composer.press('Enter');
  await b.tool('will be deleted', 'More');
  const menu = b.page.getByRole('dialog', { name: 'Message' });
  await menu.getByRole('button', { name: 'Delete', exact: true }).click();
  await menu.getByRole('button', { name: 'Really delete' }).click();
  await b.tool('has been edited', 'React with 👍');
  for (const text of numbered('meanwhile', 5)) await b.say(text);
  await b.message('meanwhile 4').locator('[data-ticks="sent"], [data-ticks="delivered"], [data-ticks="read"]').waitFor();
  await a.context.setOffline(false);
  await a.message('has been edited').locator('[data-reaction="👍"]').waitFor();
  await eventually(() => a.message('will be').count()).toBe(0);
  await eventually(texts(a, 'meanwhile')).toEqual(numbered('meanwhile', 5));
});

test('29: a refused message stays with its reason, to be tried again or deleted', async () => {
  const closed = await api.room(ann, 'group', { name: 'Closing' }, [ben]);
  await b.enter(closed);
  await b.context.setOffline(true);
  await b.say('too late');
  await api.ask('DELETE', `/v1/rooms/${closed}/members/${ben.id}`, ann);
  await b.context.setOffline(false);
  await eventually(() => b.page.locator(`[data-room="${closed}"]`).count()).toBe(0);
  await b.enter(room);
  await a.enter(room);
  const archived = await api.room(ann, 'group', { name: 'Soon archived' }, [ben]);
  await b.enter(archived);
  await b.context.setOffline(true);
  await b.say('not any more');
  await api.ask('PATCH', `/v1/rooms/${archived}`, ann, { name: 'Soon archived', archived: true });
  await b.context.setOffline(false);
  const row = b.message('not any more');
  await row.getByText('Not sent.').waitFor();
  await row.getByRole('button', { name: 'Delete' }).click();
  await eventually(() => row.count()).toBe(0);
  await b.enter(room);
});

test('1: warm, with the network off, the page opens with its rooms and messages', async () => {
  await a.context.setOffline(true);
  const page = await a.context.newPage();
  await page.addInitScript(() => {
    const watch = new MutationObserver(() => {
      for (const [name, what] of [['rooms', '[data-room]'], ['messages', '[role="log"] article']] as const) {
        if (performance.getEntriesByName(name).length === 0 && document.querySelector(what)) performance.mark(name);
      }
    });
    watch.observe(document, { childList: true, subtree: true });
  });
  await page.goto(`${node.url}/r/${room}`);
  await page.getByRole('log', { name: 'Messages' }).locator('article').first().waitFor();
  await page.waitForFunction(() => performance.getEntriesByName('messages').length > 0 && performance.getEntriesByType('resource').some(({ name }) => name.includes('/v1/auth/refresh')));
  const { rooms, messages, asked } = await page.evaluate(() => ({
    rooms: performance.getEntriesByName('rooms')[0]!.startTime,
    messages: performance.getEntriesByName('messages')[0]!.startTime,
    asked: Math.min(...performance.getEntriesByType('resource').filter(({ name }) => /\/v1\/|\/beat-/.test(name)).map(({ startTime }) => startTime)),
  }));
  console.log(`warm and offline: usable after ${Math.round(messages)} ms`);
  // Nothing stands before what this browser has: not the node, not the worker.
  expect(asked).toBeGreaterThan(rooms);
  expect(await page.locator(`[data-room="${room}"]`).count()).toBe(1);
  await page.close();
  await a.context.setOffline(false);
});

test('a socket that is silently dead is found out when the page wakes', async () => {
  await a.page.evaluate(() => dispatchEvent(new Event('online')));
  await b.say('still here');
  await a.message('still here').waitFor();
});
