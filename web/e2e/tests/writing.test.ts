// Writing: two people in two browsers, own text at once and never twice, changing and taking back what was said.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, api: Api, ann: Person, ben: Person, room: string, a: Tab, b: Tab;

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  api = new Api(node.url);
  ann = await api.person('Ann Lee');
  ben = await api.person('Ben');
  room = await api.room(ann, 'group', { name: 'The two' }, [ben]);
  a = await Tab.signedIn(browser, node.url, ann);
  b = await Tab.signedIn(browser, node.url, ben);
  await a.enter(room);
  await b.enter(room);
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

test('47: from sign-up to the first message there are at most three screens', async () => {
  const tab = await Tab.open(browser, node.url);
  const { page } = tab;
  await page.goto(`${node.url}/`);
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.getByLabel('Your name').fill('Newcomer');
  await page.getByLabel('User name').fill('newcomer');
  await page.getByLabel('Password').fill('a long password');
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByRole('main').getByRole('button', { name: 'New message' }).click();
  await page.getByRole('combobox', { name: 'Find people by name' }).fill(ann.name);
  await page.getByRole('option', { name: new RegExp(ann.name) }).click();
  await page.getByRole('button', { name: 'Start writing' }).click();
  await tab.say('my first words');
  await tab.message('my first words').locator('[data-ticks="sent"]').waitFor();
  await tab.close();
});

test('two browsers exchange messages', async () => {
  await a.say('hello Ben');
  await b.message('hello Ben').waitFor();
  await b.say('hello Ann');
  await a.message('hello Ann').waitFor();
});

test('2, 3: own text is there in one frame, before the ack, and never flickers, moves or doubles when it comes', async () => {
  await a.page.evaluate(() => {
    const seen = { frames: -1, counts: new Set<number>(), tops: new Set<number>(), state: '' };
    Object.assign(window, { seen });
    const rows = () => [...document.querySelectorAll<HTMLElement>('article')].filter((row) => row.textContent?.includes('at once please'));
    addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      let frame = 0;
      const look = () => {
        const found = rows();
        if (seen.frames < 0 && found.length > 0) { seen.frames = frame; seen.state = found[0]!.dataset.state!; }
        if (seen.frames >= 0) { seen.counts.add(found.length); if (found[0] && frame > 3) seen.tops.add(Math.round(found[0].getBoundingClientRect().top)); }
        if (frame++ < 90) requestAnimationFrame(look);
        else Object.assign(window, { looked: true });
      };
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  });
  await a.say('at once please');
  await a.page.waitForFunction(() => 'looked' in window);
  const seen = await a.page.evaluate(() => { const { frames, counts, tops, state } = (window as never as { seen: { frames: number; counts: Set<number>; tops: Set<number>; state: string } }).seen; return { frames, counts: [...counts], tops: [...tops], state }; });
  expect(seen.frames).toBeLessThanOrEqual(1);
  expect(['queued', 'sent']).toContain(seen.state);
  expect(seen.counts).toEqual([1]);
  expect(seen.tops).toHaveLength(1);
  await a.message('at once please').locator('[data-ticks="sent"], [data-ticks="read"], [data-ticks="delivered"]').waitFor();
});

test('21: Enter sends, Shift and Enter breaks the line, an input method never sends', async () => {
  await a.composer.fill('first line');
  await a.composer.press('Shift+Enter');
  await a.composer.pressSequentially('second line');
  expect(await a.composer.inputValue()).toBe('first line\nsecond line');
  await a.composer.dispatchEvent('keydown', { key: 'Enter', isComposing: true, keyCode: 229 });
  expect(await a.composer.inputValue()).toBe('first line\nsecond line');
  await a.composer.press('Enter');
  await b.message('second line').waitFor();
  expect(await a.composer.inputValue()).toBe('');
});

test('22, 18: arrow up edits the last message; both see it marked, with how it was', async () => {
  await a.say('with a mistaek');
  await b.message('with a mistaek').waitFor();
  await a.composer.press('ArrowUp');
  await eventually(() => a.composer.inputValue()).toBe('with a mistaek');
  await a.composer.fill('without a mistake');
  await a.composer.press('Enter');
  await b.message('without a mistake').getByText('(edited)').click();
  const versions = b.page.getByRole('dialog', { name: 'How it was' });
  await versions.getByText('with a mistaek').waitFor();
  await b.page.keyboard.press('Escape');
});

test('18: a deleted message leaves a mark in its place', async () => {
  await a.say('better not');
  await b.message('better not').waitFor();
  await a.tool('better not', 'More');
  const menu = a.page.getByRole('dialog', { name: 'Message' });
  await menu.getByRole('button', { name: 'Delete', exact: true }).click();
  await menu.getByRole('button', { name: 'Really delete' }).click();
  await b.list.getByText('This message was deleted.').waitFor();
  await eventually(() => b.message('better not').count()).toBe(0);
  await eventually(() => a.message('better not').count()).toBe(0);
});

test('46: one click reacts, joins and takes back; who it was is said', async () => {
  await b.say('react to me');
  await a.message('react to me').waitFor();
  await a.tool('react to me', 'React with 👍');
  const chip = (tab: Tab) => tab.message('react to me').locator('[data-reaction="👍"]');
  await chip(b).waitFor();
  expect(await chip(b).getAttribute('title')).toBe('Ann Lee');
  await chip(b).click();
  await eventually(() => chip(a).innerText()).toContain('2');
  await chip(a).click();
  await eventually(() => chip(b).innerText()).toContain('1');
  expect(await chip(b).getAttribute('aria-pressed')).toBe('true');
});

test('the emoji picker finds by word', async () => {
  await b.say('a rocket for this');
  await a.tool('a rocket for this', 'React');
  await a.page.getByRole('textbox', { name: 'Find an emoji' }).fill('rocket');
  await a.page.getByRole('button', { name: 'rocket', exact: true }).click();
  await b.message('a rocket for this').locator('[data-reaction="🚀"]').waitFor();
});

test('of very many reactions some are shown, and all when asked for', async () => {
  const { seq } = await api.post(ben, room, 'loved by all');
  for (let n = 0; n < 30; n++) await api.ask('PUT', `/v1/rooms/${room}/messages/${seq}/reactions/${encodeURIComponent(String.fromCodePoint(0x1f400 + n))}`, ben);
  const chips = a.message('loved by all').locator('[data-reaction]');
  await a.message('loved by all').getByRole('button', { name: '6 more' }).click();
  await eventually(() => chips.count()).toBe(30);
});

test('16: a reply shows what it answers; a click goes there, and back', async () => {
  await a.say('the question');
  for (let n = 0; n < 40; n++) await api.post(ben, room, `in between ${n}`);
  await b.message('in between 39').waitFor();
  await eventually(async () => { await b.list.evaluate(scrollToText, 'the question'); return inView(b, 'the question'); }).toBe(true);
  await b.tool('the question', 'Reply');
  await b.say('the answer');
  const quote = a.message('the answer').locator('[data-quote]');
  await quote.waitFor();
  expect(await quote.innerText()).toContain('the question');
  await quote.click();
  await eventually(() => inView(a, 'the question')).toBe(true);
  await a.page.getByRole('button', { name: 'Back to where you were' }).click();
  await eventually(() => inView(a, 'the answer')).toBe(true);
});

test('mentions: completed by keyboard, sent as an id, shown as a name, loud for the one named', async () => {
  await a.composer.fill('');
  await a.composer.pressSequentially('ask @be');
  await a.page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option', { name: /Ben/ }).first().waitFor();
  await a.composer.press('Enter');
  await a.composer.pressSequentially('please');
  expect(await a.composer.inputValue()).toBe('ask @Ben please');
  await a.composer.press('Enter');
  await b.message('ask @Ben please').locator('.mention-me').waitFor();
  expect(await api.texts(ann, room)).toContain(`ask <@${ben.id}> please`);
});

test('text is rendered from a tree: code copies, links are safe, HTML is text', async () => {
  await a.say('look at `this` <b>not bold</b> [click](javascript:alert(1)) https://example.org');
  const row = b.message('not bold');
  await row.waitFor();
  expect(await row.locator('b', { hasText: 'not bold' }).count()).toBe(0);
  expect(await row.locator('a').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))).toEqual(['https://example.org/']);
  expect(await row.locator('.markdown code').innerText()).toBe('this');
  await a.composer.fill('```js\nlet x = 1;\n```');
  await a.composer.press('Enter');
  await b.list.locator('.code', { hasText: 'let x = 1;' }).getByRole('button', { name: 'Copy the code' }).waitFor();
});

test('pins show for both', async () => {
  await a.say('pin this one');
  await b.message('pin this one').waitFor();
  await a.menu('pin this one', 'Pin');
  await b.page.getByRole('button', { name: 'Pinned messages' }).click();
  await b.page.getByRole('complementary', { name: 'Pinned' }).getByText('pin this one').waitFor();
  await b.page.keyboard.press('Escape');
  await eventually(() => b.page.getByRole('complementary').count()).toBe(0);
});

test('pins that are older than what is loaded are listed, and a click goes there', async () => {
  const old = await api.room(ann, 'group', { name: 'Old pins' }, [ben]);
  const { seq } = await api.post(ann, old, 'how to get in: the **blue** door');
  const { seq: second } = await api.post(ann, old, 'not any more');
  for (const each of [seq, second]) await api.ask('PUT', `/v1/rooms/${old}/messages/${each}/pin`, ann);
  let last = { seq: 0, ordinal: 0 };
  for (let n = 0; n < 150; n++) last = await api.post(ben, old, `much later ${n}`);
  await api.ask('PUT', `/v1/rooms/${old}/read`, ann, { seq: last.seq, ordinal: last.ordinal });
  await api.ask('PATCH', `/v1/rooms/${old}/messages/${seq}`, ann, { text: 'how to get in: the green door' });
  const tab = await Tab.signedIn(browser, node.url, ann);
  await tab.enter(old);
  await tab.message('much later 149').waitFor();
  expect(await tab.message('how to get in').count()).toBe(0);
  await tab.page.getByRole('button', { name: 'Pinned messages' }).click();
  const panel = tab.page.getByRole('complementary', { name: 'Pinned' });
  await eventually(() => panel.locator('[data-pin]').allInnerTexts().then((all) => all.map((text) => text.split('\n').at(-1)))).toEqual(['not any more', 'how to get in: the green door']);
  await api.ask('DELETE', `/v1/rooms/${old}/messages/${second}/pin`, ben);
  await eventually(() => panel.locator('[data-pin]').count()).toBe(1);
  await panel.locator('[data-pin]').click();
  await eventually(() => inView(tab, 'how to get in: the green door')).toBe(true);
  await tab.close();
});

/** One step nearer to a message that may not be in the page yet. */
function scrollToText(list: Element, text: string): void {
  const row = [...list.querySelectorAll('article')].find((each) => each.textContent?.includes(text));
  if (row) row.scrollIntoView({ block: 'center' });
  else list.scrollTop -= list.clientHeight / 2;
}

async function inView(tab: Tab, text: string): Promise<boolean> {
  return tab.page.evaluate((wanted) => {
    const list = document.querySelector('[role="log"]')!.getBoundingClientRect();
    return [...document.querySelectorAll('article .markdown')].some((row) => {
      const box = row.getBoundingClientRect();
      return row.textContent === wanted && box.top >= list.top - 4 && box.bottom <= list.bottom + 4;
    });
  }, text);
}
