// A conversation from elsewhere: its own times, its code, its names and links, and a way to any day of it.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, openBrowser, Tab } from '../src/browser';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, tab: Tab;
const DAYS = 60;

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  const line = (day: number, hour: number, user: string, text: string) => JSON.stringify({ ts: new Date(Date.UTC(2017, 0, 1 + day, hour)).toISOString().replace('Z', '000'), user, text, thread: `2017-${day}` });
  const lines = Array.from({ length: DAYS }, (_, day) => [line(day, 9, 'Fred', `good morning on day ${day}`), line(day, 10, 'Lynna', `<@Fred> it is day ${day}`)]).flat();
  lines.push(line(DAYS, 9, 'Fred', 'look:```one : a -&gt; b\ntwo```'), line(DAYS, 10, 'Lynna', 'see <http://example.org/a_b|the page> and <https://example.org/c>, x &lt; y'));
  node.command(['import', node.file('talk.jsonl', `${lines.join('\n')}\n`), '--room', 'talk']);
  node.command(['user', 'password', 'Fred', '--password-stdin'], 'a long password\n');
  tab = await Tab.signedIn(browser, node.url, { name: 'Fred', display: 'Fred', password: 'a long password', id: '', access: '' });
  await tab.composer.waitFor();
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

test('messages stand under the days on which they were said', async () => {
  await tab.message('good morning on day 0').waitFor();
  await tab.list.getByText('Sun, 1 January 2017').waitFor();
});

test('a day is found by its date', async () => {
  await tab.page.getByRole('button', { name: 'Go to a date' }).click();
  await tab.page.getByLabel('Date', { exact: true }).fill('2017-02-01');
  await tab.page.getByRole('button', { name: 'Go', exact: true }).click();
  await tab.message('good morning on day 31').waitFor();
});

test('a jump ends at its message although a page of history that was on its way comes above it', async () => {
  node.command(['user', 'password', 'Lynna', '--password-stdin'], 'a long password\n');
  const late = await Tab.open(browser, node.url);
  await late.page.addInitScript(() => {
    const [held, asked] = [[] as (() => void)[], new Set<number>()];
    Object.assign(window, { held });
    class Slow extends WebSocket {
      override send(text: string) {
        const { history } = JSON.parse(text) as { history?: { id: number; after?: number; limit?: number } };
        if (history?.after !== undefined && history.limit === 60) asked.add(history.id);
        super.send(text);
      }
      override set onmessage(hear: (message: MessageEvent) => void) {
        super.onmessage = (message) => {
          const { history } = JSON.parse(String(message.data)) as { history?: { id: number } };
          if (history && asked.delete(history.id)) held.push(() => hear.call(this, message));
          else hear.call(this, message);
        };
      }
    }
    window.WebSocket = Slow;
    // The list was put where the jump goes: now the page comes.
    new MutationObserver(() => { if (document.querySelector('article.flash')) held.splice(0).forEach((hear) => hear()); }).observe(document, { subtree: true, childList: true, attributes: true });
  });
  await late.signIn({ name: 'Lynna', display: 'Lynna', password: 'a long password', id: '', access: '' });
  await late.message('good morning on day 0').waitFor();
  await late.list.evaluate((list) => { list.scrollTop = list.scrollHeight; });
  await late.page.waitForFunction(() => (window as never as { held: unknown[] }).held.length > 0);
  await late.page.getByRole('button', { name: 'Go to a date' }).click();
  await late.page.getByLabel('Date', { exact: true }).fill('2017-02-15');
  await late.page.getByRole('button', { name: 'Go', exact: true }).click();
  await late.page.waitForFunction(() => (window as never as { held: unknown[] }).held.length === 0);
  const row = late.message('good morning on day 45');
  const [list, at] = await Promise.all([late.list.boundingBox(), row.boundingBox()]);
  expect(Math.abs(at!.y + at!.height / 2 - (list!.y + list!.height / 2))).toBeLessThan(list!.height / 3);
  await late.close();
});

test('code, links and names look as they were meant', async () => {
  await tab.page.getByRole('button', { name: /Jump to the latest/ }).click();
  const code = tab.list.locator('.code pre', { hasText: 'two' });
  await code.waitFor();
  expect(await code.innerText()).toBe('one : a -> b\ntwo');
  const row = tab.message('the page');
  expect(await row.locator('a').evaluateAll((links) => links.map((link) => `${link.textContent} ${(link as HTMLAnchorElement).href}`))).toEqual(['the page http://example.org/a_b', 'https://example.org/c https://example.org/c']);
  expect(await row.innerText()).toContain('x < y');
  await eventually(() => tab.list.locator('.mention', { hasText: '@Fred' }).count()).toBeGreaterThan(0);
});

test('of a room of many only those in sight are in the page, and who comes is shown without asking for all of them again', async () => {
  const people = Array.from({ length: 300 }, (_, n) => `p${n}`);
  const said = (user: string, n: number) => JSON.stringify({ ts: new Date(Date.UTC(2018, 0, 1, 0, n)).toISOString().replace('Z', '000'), user, text: `I am ${user}` });
  node.command(['import', node.file('crowd.jsonl', `${people.map(said).join('\n')}\n`), '--room', 'crowd']);
  node.command(['user', 'password', 'p0', '--password-stdin'], 'a long password\n');
  const one = await Tab.signedIn(browser, node.url, { name: 'p0', display: 'p0', password: 'a long password', id: '', access: '' });
  await one.composer.waitFor();
  await one.page.getByRole('button', { name: /^Members/ }).click();
  const list = one.page.getByRole('complementary', { name: 'Members' });
  const size = () => list.locator('li').first().getAttribute('aria-setsize').then(Number);
  await eventually(size).toBeGreaterThanOrEqual(300);
  expect(await list.locator('li').count()).toBeLessThan(60);
  await eventually(async () => { await list.locator('ul').evaluate((ul) => { ul.parentElement!.scrollTop = 1e6; }); return list.getByText('p299', { exact: true }).count(); }).toBe(1);
  const before = await size();
  const asked: string[] = [];
  one.page.on('request', (request) => { if (/\/members\b/.test(request.url())) asked.push(request.url()); });
  node.command(['import', node.file('late.jsonl', `${said('latecomer', 600)}\n`), '--room', 'crowd']);
  await eventually(size).toBe(before + 1);
  expect(asked).toEqual([]);
  await one.close();
});

test('the members are drawn also when all about them was known before, and nothing draws them a second time', async () => {
  const one = await Tab.open(browser, node.url);
  await one.signIn({ name: 'p0', display: 'p0', password: 'a long password', id: '', access: '' });
  await one.composer.waitFor();
  const members = one.page.getByRole('button', { name: /^Members/ });
  await members.click();
  await one.page.getByRole('complementary', { name: 'Members' }).getByText('p11', { exact: true }).waitFor();
  await one.page.keyboard.press('Escape');
  const drawn = await one.page.evaluate(() => new Promise<number>((resolve) => {
    const look = () => { const list = document.querySelector('aside ul'); if (list) resolve(list.children.length); else requestAnimationFrame(look); };
    document.querySelector<HTMLElement>('[aria-label^="Members"]')!.click();
    requestAnimationFrame(look);
  }));
  expect(drawn).toBeGreaterThan(5);
  await one.close();
});
