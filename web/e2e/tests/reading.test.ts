// Reading: where a room opens, what pulls and what does not, history without a jump, unread that is the same everywhere.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, api: Api, ann: Person, ben: Person, long: string, quiet: string, a: Tab, b: Tab;
const COUNT = 400;

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  api = new Api(node.url);
  ann = await api.person('Ann');
  ben = await api.person('Ben');
  long = await api.room(ann, 'group', { name: 'Long' }, [ben]);
  quiet = await api.room(ann, 'group', { name: 'Quiet' }, [ben]);
  for (let n = 0; n < COUNT; n++) await api.post(n % 7 < 4 ? ann : ben, long, n % 9 === 0 ? `line ${n}\nwith a second line\n\nand a third` : `line ${n}`);
  a = await Tab.signedIn(browser, node.url, ann);
  b = await Tab.signedIn(browser, node.url, ben);
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

const seqs = (tab: Tab) => tab.list.locator('article[data-seq]').evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.seq)));
const unread = (tab: Tab, room: string) => tab.page.locator(`[data-room="${room}"] [data-mark]`);
const atEnd = (tab: Tab) => tab.list.evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight < 60);

test('10: unread is counted, a room with all unread opens at its beginning, the way to the latest has a count', async () => {
  await eventually(() => unread(a, long).innerText()).toBe('99+');
  await a.enter(long);
  await a.message('line 0').first().waitFor();
  const jump = a.page.getByRole('button', { name: /Jump to the latest, \d+ new/ });
  await jump.waitFor();
  await jump.click();
  await a.message(`line ${COUNT - 1}`).waitFor();
  await eventually(() => atEnd(a)).toBe(true);
  await eventually(() => unread(a, long).count()).toBe(0);
});

/** A room that Ann is to read: 120 messages, all of them unread. */
async function unreadRoom(name: string): Promise<string> {
  const room = await api.room(ben, 'group', { name }, [ann]);
  for (let n = 0; n < 120; n++) await api.post(ben, room, `${name} ${n}`);
  await eventually(() => unread(a, room).innerText()).toBe('99+');
  return room;
}

/** In the page, as soon as it can be: goes into the room, on to its latest, and when it is read does `then`. */
const hurry = (room: string, then: 'stay' | 'reload') => a.page.evaluate(([room, then]) => new Promise<void>((resolve) => {
  const mark = () => document.querySelector(`[data-room="${room}"] [data-mark]`);
  const jump = new MutationObserver(() => {
    const button = [...document.querySelectorAll<HTMLElement>('section > div > button')].find((each) => each.textContent!.startsWith('Jump to the latest'));
    if (!button || document.querySelector('[aria-current="page"]')?.getAttribute('data-room') !== room) return;
    jump.disconnect();
    button.click();
    new MutationObserver(() => { if (!mark()) { if (then === 'reload') location.reload(); resolve(); } }).observe(document.body, { subtree: true, childList: true });
  });
  jump.observe(document.body, { subtree: true, childList: true });
  document.querySelector<HTMLElement>(`[data-room="${room}"]`)!.click();
}), [room, then] as const);

test('10: who goes on to the latest while the room still opens gets there, and it is read', async () => {
  const room = await unreadRoom('Hurried');
  await hurry(room, 'stay');
  await a.message('Hurried 119').waitFor();
  await eventually(() => atEnd(a)).toBe(true);
  await eventually(() => unread(a, room).count()).toBe(0);
});

test('what was read is read, also when the page is left in the same moment', async () => {
  const room = await unreadRoom('Left');
  await Promise.all([a.page.waitForEvent('load'), hurry(room, 'reload').catch(() => undefined)]);
  await a.message('Left 119').waitFor();
  await eventually(() => atEnd(a)).toBe(true);
  expect(await unread(a, room).count()).toBe(0);
});

test('11: history comes before the top is reached and moves nothing by a pixel', async () => {
  await a.enter(long);
  await a.page.reload();
  await a.message(`line ${COUNT - 1}`).waitFor();
  await eventually(() => atEnd(a)).toBe(true);
  const shifts = await a.list.evaluate(async (list) => {
    const found: number[] = [];
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (let step = 0; step < 240; step++) {
      const view = list.getBoundingClientRect();
      const row = [...list.querySelectorAll<HTMLElement>('article[data-seq]')].find((each) => each.getBoundingClientRect().top > view.top + 250);
      if (!row) { await frame(); continue; }
      const before = row.getBoundingClientRect().top;
      list.scrollTop -= 60;
      await frame();
      await frame();
      const now = list.querySelector<HTMLElement>(`article[data-seq="${row.dataset.seq}"]`);
      if (now) found.push(Math.abs(now.getBoundingClientRect().top - before - 60));
      if (list.scrollTop <= 0) break;
    }
    return found;
  });
  expect(Math.min(...(await seqs(a)))).toBeLessThan(COUNT - 150);
  expect(shifts.filter((shift) => shift > 1.5 && shift < 59)).toEqual([]);
  expect(shifts.length).toBeGreaterThan(80);
});

test('13: new messages do not pull down somebody who reads above', async () => {
  const seen = await a.list.evaluate(async (list) => {
    list.scrollTop = list.scrollHeight / 2;
    for (let frame = 0; frame < 10; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
    const middle = list.getBoundingClientRect().top + list.clientHeight / 2;
    return Number([...list.querySelectorAll<HTMLElement>('article[data-seq]')].find((each) => each.getBoundingClientRect().top > middle)!.dataset.seq);
  });
  const row = a.list.locator(`article[data-seq="${seen}"]`);
  const before = (await row.boundingBox())!.y;
  for (let n = 0; n < 5; n++) await api.post(ben, long, `pull ${n}`);
  await a.page.getByRole('button', { name: /Jump to the latest, 5 new/ }).waitFor();
  expect(Math.abs((await row.boundingBox())!.y - before)).toBeLessThanOrEqual(1);
  await a.page.keyboard.press('Escape');
  await a.message('pull 4').waitFor();
  await eventually(() => atEnd(a)).toBe(true);
});

test('at the end, new messages are followed', async () => {
  await a.page.keyboard.press('Escape');
  await eventually(() => atEnd(a)).toBe(true);
  for (let n = 0; n < 5; n++) await api.post(ben, long, `follow ${n}`);
  await a.message('follow 4').waitFor();
  await eventually(() => atEnd(a)).toBe(true);
});

test('9: a room opens at the first unread with a "New" line', async () => {
  await a.enter(quiet);
  await eventually(() => unread(a, long).count()).toBe(0);
  for (let n = 0; n < 30; n++) await api.post(ben, long, `missed ${n}`);
  await eventually(() => unread(a, long).innerText()).toBe('30');
  await a.enter(long);
  const line = a.list.locator('[data-row="new"]');
  await line.waitFor();
  const [lineBox, firstBox, listBox] = [await line.boundingBox(), await a.message('missed 0').first().boundingBox(), await a.list.boundingBox()];
  expect(firstBox!.y).toBeGreaterThan(lineBox!.y);
  expect(firstBox!.y - lineBox!.y).toBeLessThan(60);
  expect(lineBox!.y).toBeGreaterThanOrEqual(listBox!.y - 2);
  expect(lineBox!.y).toBeLessThan(listBox!.y + listBox!.height);
});

test('20: read here is read there; marked unread here is unread there; all can be marked as read', async () => {
  await a.page.getByRole('button', { name: /Jump to the latest/ }).click();
  await eventually(() => unread(a, long).count()).toBe(0);
  // Once the node knows, the other device has nothing of its own to say about it.
  await eventually(async () => { const { ordinal, read_ordinal } = await api.ask<{ ordinal: number; read_ordinal: number }>('GET', `/v1/rooms/${long}`, ann); return ordinal - read_ordinal; }).toBe(0);
  const second = await Tab.signedIn(browser, node.url, ann);
  await eventually(() => unread(second, long).count(), 5_000).toBe(0);
  // Both have the room open: who opens it later comes back to it, and reads.
  await second.enter(long);
  for (const tab of [a, second]) await tab.message('missed 27').last().waitFor();
  await a.menu('missed 27', 'Mark unread from here');
  await eventually(() => unread(a, long).innerText()).toBe('3');
  await eventually(() => unread(second, long).count()).toBe(1);
  // The other device shows the very place: what comes there now is not taken for being read.
  await api.post(ben, long, 'after the mark');
  for (const tab of [a, second]) await tab.message('after the mark').waitFor();
  await eventually(() => unread(a, long).innerText()).toBe('4');
  await eventually(() => unread(second, long).innerText()).toBe('4');
  await second.page.getByRole('button', { name: 'Mark all as read' }).click();
  await eventually(() => unread(second, long).count()).toBe(0);
  await eventually(() => unread(a, long).count()).toBe(0);
  await second.close();
});

test('20: marked as unread in the moment that it was read: what was read is said first, so that the mark stands', async () => {
  const said: string[] = [];
  const third = await Tab.open(browser, node.url);
  third.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => said.push(...(/^\{"(read|unread)"/.exec(String(payload))?.slice(1) ?? []))));
  await third.signIn(ann);
  await third.enter(quiet);
  const { seq } = await api.post(ben, quiet, 'read and marked');
  await third.message('read and marked').waitFor();
  await eventually(() => unread(third, quiet).count()).toBe(0);
  said.length = 0;
  await api.post(ben, quiet, 'and at once');
  await third.page.evaluate((seq) => new Promise<void>((resolve) => {
    const look = () => {
      const row = [...document.querySelectorAll<HTMLElement>('article[data-seq]')].find((each) => Number(each.dataset.seq) > seq);
      if (!row) return requestAnimationFrame(look);
      row.focus();
      row.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
      const press = () => {
        const item = [...document.querySelectorAll<HTMLElement>('[popover] .menu-item')].find((each) => each.textContent === 'Mark unread from here');
        if (item) { item.click(); resolve(); } else requestAnimationFrame(press);
      };
      press();
    };
    look();
  }), seq);
  await eventually(() => said.length).toBe(2);
  expect(said).toEqual(['read', 'unread']);
  await third.close();
});

test('14: day lines, groups of a sender, the exact time on hover', async () => {
  await eventually(async () => { await a.list.evaluate((list) => { list.scrollTop = 0; }); return a.list.locator('[data-row="day"] time').count(); }).toBeGreaterThan(0);
  const headers = await a.list.locator('article header').count();
  expect(headers).toBeLessThan(await a.list.locator('article').count());
  const time = a.list.locator('article header time').last();
  expect(await time.getAttribute('datetime')).toMatch(/^\d{4}-\d\d-\d\dT/);
  expect(await time.getAttribute('title')).toMatch(/\d{4}.*\d\d:\d\d:\d\d/);
});

test('15: a link to a message opens around it and shows which it is', async () => {
  const { seq } = await api.post(ben, quiet, 'the linked one');
  for (let n = 0; n < 80; n++) await api.post(ben, quiet, `after the link ${n}`);
  await b.page.goto(`${node.url}/r/${quiet}/${seq}`);
  const row = b.list.locator(`article[data-seq="${seq}"]`);
  await row.waitFor();
  expect(await row.getAttribute('class')).toContain('flash');
});

test('jump to a date', async () => {
  await a.enter(long);
  await a.page.getByRole('button', { name: 'Go to a date' }).click();
  const today = new Date().toISOString().slice(0, 10);
  await a.page.getByLabel('Date', { exact: true }).fill(today);
  await a.page.getByRole('button', { name: 'Go', exact: true }).click();
  await a.message('line 0').first().waitFor();
});

test('36: Alt and arrows go through the rooms; the title says what is unread', async () => {
  const first = a.page.url();
  await a.page.keyboard.press('Alt+ArrowDown');
  await eventually(() => a.page.url()).not.toBe(first);
  await a.page.keyboard.press('Alt+ArrowUp');
  await eventually(() => a.page.url()).toBe(first);
  await a.enter(long);
  const direct = await api.room(ben, 'direct', {}, [ann]);
  await api.post(ben, direct, 'psst');
  await eventually(() => a.page.title()).toMatch(/^\(1\) /);
  await eventually(() => a.page.locator('link[rel="icon"]').getAttribute('href')).toBe('/icon-mention.svg');
  await a.page.keyboard.press('Alt+Shift+ArrowDown');
  await a.message('psst').waitFor();
  await eventually(() => a.page.title()).not.toMatch(/^\(/);
});

test('34: Ctrl and K goes to a room by a few letters', async () => {
  await a.page.keyboard.press('Control+k');
  await a.page.locator('input[aria-label="Room or person"]:focus').waitFor();
  await a.page.keyboard.type('qui');
  await a.page.keyboard.press('Enter');
  await eventually(() => a.page.url()).toContain(quiet);
});

test('4: a room that was open comes back from the cache at once', async () => {
  await a.enter(long);
  await a.list.locator('article').first().waitFor();
  const took = await a.page.evaluate((room) => new Promise<number>((resolve) => {
    const start = performance.now();
    document.querySelector<HTMLElement>(`[data-room="${room}"]`)!.click();
    const look = () => (document.querySelector('main h1')?.textContent === 'Quiet' && document.querySelector('[role="log"] article') ? resolve(performance.now() - start) : requestAnimationFrame(look));
    look();
  }), quiet);
  console.log(`room switch from the cache: ${Math.round(took)} ms`);
});
