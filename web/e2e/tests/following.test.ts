// Who is at the end of a room stays there whatever comes and however it is laid out; who went up stays where they read.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, api: Api, ann: Person, ben: Person, room: string, b: Tab;

interface Held { hold(): void; count(): number; release(): void }

/** The page hears nothing while it is held, and then all of it in one turn, as after a busy moment. */
function holdable(): void {
  let held: (() => void)[] | null = null;
  const now = (act: () => void) => { if (held) held.push(act); else act(); };
  window.WebSocket = class extends WebSocket {
    override set onmessage(hear: ((message: MessageEvent) => void) | null) { super.onmessage = hear && ((message) => now(() => hear(message))); }
  };
  Object.assign(window, { held: { hold() { held = []; }, count: () => held!.length, release() { const all = held!; held = null; for (const act of all) act(); } } satisfies Held });
}

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  api = new Api(node.url);
  ann = await api.person('Ann Lee');
  ben = await api.person('Ben');
  room = await api.room(ann, 'group', { name: 'Busy' }, [ben]);
  for (let n = 0; n < 30; n++) await api.post(ben, room, `before ${n}`);
  b = await Tab.open(browser, node.url);
  await b.page.addInitScript(holdable);
  await b.signIn(ben);
  await b.enter(room);
  await b.message('before 29').waitFor();
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

const fromEnd = (tab = b) => tab.list.evaluate((list) => Math.round(list.scrollHeight - list.scrollTop - list.clientHeight));
const atEnd = () => eventually(() => fromEnd()).toBeLessThan(4);
const frames = (count: number) => b.page.evaluate(async (count) => { for (let n = 0; n < count; n++) await new Promise((resolve) => requestAnimationFrame(resolve)); }, count);

/** The first message in sight, and how far it is from the top. */
const topmost = (tab = b) => tab.list.evaluate((list) => {
  const { top } = list.getBoundingClientRect();
  const row = [...list.querySelectorAll<HTMLElement>('article')].find((each) => each.getBoundingClientRect().bottom > top + 1)!;
  return `${row.dataset.seq} at ${Math.round(row.getBoundingClientRect().top - top)}`;
});

async function hold(count: number, name: string): Promise<void> {
  await b.page.evaluate(() => (window as never as { held: Held }).held.hold());
  for (let n = 0; n < count; n++) await api.post(ann, room, `${name} ${n}`);
  await eventually(() => b.page.evaluate(() => (window as never as { held: Held }).held.count())).toBeGreaterThanOrEqual(count);
}

async function release(): Promise<void> {
  await b.page.evaluate(() => (window as never as { held: Held }).held.release());
  await frames(4);
}

/** Messages that come into the page at once, and are laid out. */
async function burst(name: string, count: number): Promise<void> {
  await hold(count, name);
  await release();
}

test('who is at the end follows burst after burst, whatever the rows turn out to measure', async () => {
  await b.page.keyboard.press('Escape');
  await atEnd();
  // On a slow machine frames come between what rows were taken for, what they measure, and what is told of it.
  const cdp = await b.context.newCDPSession(b.page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 8 });
  for (let n = 0; n < 5; n++) await burst(`burst ${n}`, 8);
  await b.message('burst 4 7').waitFor();
  await atEnd();
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 });
});

test('what is written grows its field, and sent shrinks it, while others write: the end stays in sight', async () => {
  for (let lines = 1; lines < 9; lines += 3) {
    await b.composer.fill(Array.from({ length: lines }, (_, n) => `line ${n}`).join('\n'));
    await burst(`beside ${lines}`, 6);
  }
  await atEnd();
  await b.composer.press('Enter');
  await burst('after it was sent', 6);
  await b.message('after it was sent 5').waitFor();
  await atEnd();
});

test('somebody who turns the wheel up is let go at once, in the middle of a burst, and read on', async () => {
  await hold(12, 'while the wheel turns');
  await b.list.hover();
  await b.page.mouse.wheel(0, -400);
  await release();
  await eventually(() => fromEnd()).toBeGreaterThan(300);
  const seen = await topmost();
  await burst('after the wheel', 12);
  expect(await topmost()).toBe(seen);
  await b.page.keyboard.press('Escape');
  await atEnd();
});

test('keys go up through the messages and are not pulled back; the button goes to the latest, and there it follows again', async () => {
  await b.message('after the wheel 11').last().focus();
  for (let n = 0; n < 40; n++) await b.page.keyboard.press('ArrowUp');
  await eventually(() => fromEnd()).toBeGreaterThan(300);
  const seen = await topmost();
  await burst('while keys are used', 12);
  expect(await topmost()).toBe(seen);
  await b.page.getByRole('button', { name: /Jump to the latest/ }).click();
  await atEnd();
  await burst('at the latest', 12);
  await b.message('at the latest 11').waitFor();
  await atEnd();
});

test('a wheel over a long piece of code scrolls the code, and the end is still followed', async () => {
  await api.post(ann, room, '```\n' + Array.from({ length: 60 }, (_, n) => `code ${n}`).join('\n') + '\n```');
  const code = b.list.locator('.code pre').last();
  await code.waitFor();
  await atEnd();
  await code.evaluate((pre) => { pre.scrollTop = 400; });
  await code.hover();
  await b.page.mouse.wheel(0, -100);
  await eventually(() => code.evaluate((pre) => pre.scrollTop)).toBeLessThan(400);
  await burst('beside the code', 12);
  await b.message('beside the code 11').waitFor();
  await atEnd();
});

test('a finger that swipes goes up while one message comes after the other, and is not pulled back', async () => {
  const phone = await Tab.signedIn(browser, node.url, ben, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await phone.enter(room);
  await phone.page.getByRole('button', { name: /Jump to the latest/ }).or(phone.message('beside the code 11')).first().waitFor();
  await phone.page.keyboard.press('Escape');
  let flooding = true;
  const flood = (async () => { for (let n = 0; flooding; n++) await api.post(ann, room, `flood ${n}`); })();
  await phone.message('flood 3').waitFor();
  await eventually(() => fromEnd(phone)).toBeLessThan(4);
  const cdp = await phone.context.newCDPSession(phone.page);
  await cdp.send('Input.synthesizeScrollGesture', { x: 180, y: 300, yDistance: 300, gestureSourceType: 'touch' });
  const seen = await topmost(phone);
  flooding = false;
  await flood;
  await api.post(ann, room, 'after the flood');
  await phone.page.getByRole('button', { name: /Jump to the latest, \d+ new/ }).waitFor();
  expect(await topmost(phone)).toBe(seen);
  expect(await fromEnd(phone)).toBeGreaterThan(90);
  await phone.close();
});
