// Form: light and dark, narrow and wide, by keyboard alone, for a screen reader, with nobody else asked and nothing complained of.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { furnish } from '../src/furnish';
import { misfits, picture, serious } from '../src/look';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, api: Api, ann: Person, room: string;

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  api = new Api(node.url);
  ({ ann, room } = await furnish(api));
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280, 1920]) {
    test(`56, 58: ${width} px, ${scheme}: nothing serious for axe, nothing wider than the window`, async () => {
      const touch = width === 360;
      const tab = await Tab.open(browser, node.url, { viewport: { width, height: touch ? 740 : width === 1280 ? 800 : 1080 }, colorScheme: scheme, hasTouch: touch, isMobile: touch });
      await tab.page.goto(node.url);
      await tab.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
      await picture(tab, `signin-${width}-${scheme}`);
      expect(await serious(tab)).toEqual([]);
      await tab.signIn(ann);
      await tab.page.locator(`[data-room="${room}"]`).waitFor();
      if (touch) { await picture(tab, `list-${width}-${scheme}`); expect(await serious(tab)).toEqual([]); }
      await tab.enter(room);
      await tab.message('Shall we').first().waitFor();
      await eventually(() => tab.page.evaluate(() => document.fonts.status)).toBe('loaded');
      await picture(tab, `room-${width}-${scheme}`);
      expect(await serious(tab)).toEqual([]);
      expect(await tab.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      const background = await tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = Number(/\d+/.exec(background)![0]) > 128;
      expect(light).toBe(scheme === 'light');
      if (touch) expect(await small(tab)).toEqual([]);
      await tab.page.getByRole('button', { name: /^Members/ }).click();
      await tab.page.getByRole('complementary', { name: 'Members' }).getByText('Ann Lee').first().waitFor();
      await picture(tab, `members-${width}-${scheme}`);
      expect(await serious(tab)).toEqual([]);
      await tab.close();
    });
  }
}

/** Buttons and links that a finger would miss. */
const small = (tab: Tab) => tab.page.evaluate(() => [...document.querySelectorAll<HTMLElement>('header button, nav a, nav button, textarea, main section > div button.icon-btn')].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && (box.height < 43.5 || box.width < 43.5) && getComputedStyle(each).visibility === 'visible';
}).map((each) => `${each.getAttribute('aria-label') ?? each.textContent} ${Math.round(each.getBoundingClientRect().width)}×${Math.round(each.getBoundingClientRect().height)}`));

test('sign-up says the rules before, and what is wrong beside the field: the browser\'s word and the node\'s', async () => {
  const tab = await Tab.open(browser, node.url);
  await tab.page.goto(`${node.url}/signup`);
  const [name, password] = [tab.page.getByLabel('User name'), tab.page.getByLabel('Password')];
  const said = async (field: typeof name) => {
    const ids = (await field.getAttribute('aria-describedby'))!.split(' ');
    return (await Promise.all(ids.map((id) => tab.page.locator(`[id="${id}"]`).allInnerTexts()))).flat().join(' ');
  };
  const submit = () => tab.page.getByRole('button', { name: 'Sign up' }).click();
  expect(await said(name)).toMatch(/2 to 32 .*begins with a letter or digit/);
  expect(await said(password)).toMatch(/At least 8/);
  for (const [wrong, word] of [['', 'Write your user name'], ['Ann Lee', 'Only letters'], ['-ann', 'Begin with'], ['a', '2 to 32']] as const) {
    await name.fill(wrong);
    await password.fill('a long password');
    await submit();
    await eventually(() => said(name)).toContain(word);
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    expect(await name.evaluate((field) => field === document.activeElement)).toBe(true);
  }
  await name.fill('somebody-new');
  await password.fill('short');
  await submit();
  await eventually(() => said(password)).toContain('too short');
  await password.fill('a long password');
  await name.fill(ann.name);
  await submit();
  await eventually(() => said(name)).toContain('That name is taken');
  await name.fill('somebody-new');
  await tab.page.getByLabel('Your name').fill('evil\u202ename');
  await submit();
  await eventually(() => said(tab.page.getByLabel('Your name'))).toContain('invisible character');
  expect(await serious(tab)).toEqual([]);
  await picture(tab, 'signup-1280-wrong');
  await tab.close();
});

test('58: at 320 px everything is reachable: list, room, back, members', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann, { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
  await tab.enter(room);
  expect(await tab.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await tab.page.getByRole('button', { name: 'Back to the rooms' }).click();
  await tab.page.locator(`[data-room="${room}"]`).waitFor();
  await tab.enter(room);
  await tab.say('from a small phone');
  await tab.message('from a small phone').locator('[data-ticks="sent"], [data-ticks="delivered"], [data-ticks="read"]').waitFor();
  await tab.close();
});

test('58: a room with a name of one long word fits a phone: its beginning, its header, and one line to write in', async () => {
  const name = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerk';
  const long = await api.room(ann, 'group', { name, topic: 'x'.repeat(100) }, []);
  const tab = await Tab.signedIn(browser, node.url, ann, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await tab.enter(long);
  await tab.list.getByRole('heading', { name }).waitFor();
  expect(await misfits(tab)).toEqual([]);
  const height = () => tab.composer.evaluate((field) => field.getBoundingClientRect().height);
  const empty = await height();
  await tab.composer.fill('x');
  expect(await height()).toBe(empty);
  await picture(tab, 'long-name-360');
  await tab.close();
});

test('58: a keyboard that comes up takes from the list, not from the composer: the last message stays in sight', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await tab.enter(room);
  await tab.say('over the keyboard');
  const last = tab.message('over the keyboard');
  await last.waitFor();
  await tab.page.setViewportSize({ width: 360, height: 420 });
  const bottoms = () => Promise.all([last, tab.composer].map((each) => each.evaluate((element) => Math.round(element.getBoundingClientRect().bottom))));
  await eventually(async () => { const [row, field] = await bottoms(); return row! <= field! && field! <= 420 && row! > 200; }).toBe(true);
  await tab.close();
});

test('58: a long press opens what can be done with a message', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann, { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
  await tab.enter(room);
  const row = tab.list.locator('article').last();
  await row.waitFor();
  const box = (await row.boundingBox())!;
  const session = await tab.context.newCDPSession(tab.page);
  const at = { x: box.x + 120, y: box.y + box.height / 2 };
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
  await tab.page.getByRole('dialog', { name: 'Message' }).waitFor();
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await tab.close();
});

for (const scheme of ['light', 'dark'] as const) {
  test(`56: the menu that opens from the dark rail can be read, ${scheme}`, async () => {
    const tab = await Tab.signedIn(browser, node.url, ann, { colorScheme: scheme });
    await tab.page.getByRole('button', { name: 'You: status and settings' }).click();
    const menu = tab.page.getByRole('dialog', { name: 'You' });
    await menu.getByRole('radio', { name: 'Online' }).waitFor();
    await picture(tab, `menu-1280-${scheme}`);
    expect(await menu.getByRole('button', { name: 'Settings' }).evaluate((item) => getComputedStyle(item).color)).toBe(await tab.page.evaluate(() => getComputedStyle(document.body).color));
    expect(await serious(tab)).toEqual([]);
    await tab.close();
  });
}

test('the chosen look wins over the system and stays', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann, { colorScheme: 'light' });
  await tab.page.getByRole('button', { name: 'You: status and settings' }).click();
  await tab.page.getByRole('button', { name: 'Settings', exact: true }).click();
  await tab.page.getByText('Dark', { exact: true }).click();
  await picture(tab, 'settings-1280-dark');
  const dark = () => tab.page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)![0]) < 128);
  await eventually(dark).toBe(true);
  expect(await serious(tab)).toEqual([]);
  await tab.page.reload();
  await eventually(dark).toBe(true);
  await tab.close();
});

test('57: the list is a log with one message in the tab order; arrows move it; focus comes back', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann);
  await tab.enter(room);
  await tab.list.locator('article').last().waitFor();
  expect(await tab.list.locator('article[tabindex="0"]').count()).toBe(1);
  await tab.list.locator('article[tabindex="0"]').focus();
  const focused = () => tab.page.evaluate(() => (document.activeElement as HTMLElement).dataset.key);
  const last = await focused();
  await tab.page.keyboard.press('ArrowUp');
  await eventually(focused).not.toBe(last);
  const above = await focused();
  await tab.page.keyboard.press('Enter');
  await tab.page.getByRole('dialog', { name: 'Message' }).waitFor();
  await tab.page.keyboard.press('Escape');
  await eventually(focused).toBe(above);
  await tab.page.keyboard.press('r');
  await tab.page.getByText('Reply to').waitFor();
  await tab.page.keyboard.press('Escape');
  await eventually(() => tab.page.getByText('Reply to').count()).toBe(0);
  await tab.close();
});

test('57: the tab key goes through a message to its tools and on, and never loses the focus on the way', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann);
  await tab.enter(room);
  const row = tab.message('could you look at the second');
  await row.getByRole('button', { name: 'React', exact: true }).last().focus();
  const passed: string[] = [];
  const where = () => tab.page.evaluate(() => { const at = document.activeElement!; return at.closest('[role="toolbar"]') ? 'tools' : at.tagName; });
  for (let n = 0; n < 8; n++) { await tab.page.keyboard.press('Tab'); passed.push(await where()); }
  expect(passed).not.toContain('BODY');
  expect(passed.slice(0, 6)).toEqual(Array(6).fill('tools'));
  expect(passed.at(-1)).not.toBe('tools');
  for (let n = 0; n < 8; n++) { await tab.page.keyboard.press('Shift+Tab'); expect(await where()).not.toBe('BODY'); }
  await tab.close();
});

test('57: a day without a mouse: sign in, go to a room, write, edit, answer, look who is here, and read which keys there are', async () => {
  const tab = await Tab.open(browser, node.url);
  const { page } = tab;
  const { keyboard } = page;
  const focus = () => page.evaluate(() => { const on = document.activeElement as HTMLElement; return on.getAttribute('aria-label') ?? on.textContent ?? ''; });
  const ring = () => page.evaluate(() => { const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement!); return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1; });
  const tabTo = async (name: string, back = false) => {
    for (let n = 0; n < 60; n++) {
      if ((await focus()).startsWith(name)) return;
      await keyboard.press(back ? 'Shift+Tab' : 'Tab');
    }
    throw new Error(`the keyboard does not reach ${name}`);
  };
  await page.goto(node.url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  await keyboard.press('Tab');
  await keyboard.type(ann.name);
  await keyboard.press('Tab');
  await keyboard.type(ann.password);
  await keyboard.press('Enter');
  await page.locator(`[data-room="${room}"]`).waitFor();
  await eventually(focus).toBe('Message design');
  await keyboard.press('Control+k');
  const jump = page.getByRole('combobox', { name: 'Room or person' });
  await jump.waitFor();
  await eventually(focus).toBe('Room or person');
  expect(await serious(tab)).toEqual([]);
  await keyboard.type('relea');
  await keyboard.press('Enter');
  await eventually(focus).toBe('Message release');
  await keyboard.type('by keybord');
  await keyboard.press('Enter');
  await tab.message('by keybord').locator('[data-ticks="sent"], [data-ticks="delivered"], [data-ticks="read"]').waitFor();
  await keyboard.press('ArrowUp');
  await eventually(() => tab.composer.inputValue()).toBe('by keybord');
  await keyboard.press('Control+a');
  await keyboard.type('by keyboard');
  await keyboard.press('Enter');
  await tab.message('by keyboard').getByText('(edited)').waitFor();
  await tabTo('Ann Lee,', true);
  expect(await ring()).toBe(true);
  await keyboard.press('ArrowUp');
  await keyboard.press('r');
  await page.getByText('Reply to').waitFor();
  await eventually(focus).toBe('Message release');
  await keyboard.press('Escape');
  await tabTo('Members', true);
  expect(await ring()).toBe(true);
  await keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Members' }).waitFor();
  await keyboard.press('Escape');
  await eventually(() => page.getByRole('complementary').count()).toBe(0);
  await keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  expect(await serious(tab)).toEqual([]);
  await keyboard.press('Escape');
  await tabTo('You: status and settings', true);
  await keyboard.press('Enter');
  await tabTo('Settings');
  await keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Settings' }).waitFor();
  expect(await serious(tab)).toEqual([]);
  await tab.close();
});

test('59: from right to left: texts and names run in their own direction, the whole page can, and nothing is wider than the window', async () => {
  const other = await api.person('نور الهدى');
  const group = await api.room(other, 'group', { name: 'قهوة الصباح' }, [ann]);
  await api.post(other, group, 'صباح الخير!\n\n- قهوة\n- شاي\n\n`code` و https://example.org');
  await api.post(other, group, 'and in English');
  for (const width of [360, 1280]) {
    const tab = await Tab.signedIn(browser, node.url, ann, { viewport: { width, height: 740 } });
    await tab.enter(group);
    const direction = (text: string) => tab.message(text).locator('p').first().evaluate((each) => getComputedStyle(each).direction);
    await tab.message('and in English').waitFor();
    expect(await tab.list.locator('ul').first().evaluate((each) => getComputedStyle(each).direction)).toBe('rtl');
    expect([await direction('صباح الخير'), await direction('and in English')]).toEqual(['rtl', 'ltr']);
    await tab.page.evaluate(() => { document.documentElement.dir = 'rtl'; });
    const [list, composer] = await Promise.all([tab.message('and in English').boundingBox(), tab.composer.boundingBox()]);
    expect(list!.x).toBeGreaterThanOrEqual(0);
    if (width > 360) {
      const rooms = (await tab.page.getByRole('navigation', { name: 'Rooms' }).boundingBox())!;
      expect(rooms.x).toBeGreaterThan(composer!.x + composer!.width - 1);
      const line = tab.page.locator(`[data-room="${room}"]`);
      const [icon, name] = await Promise.all([line.locator('svg').first().boundingBox(), line.locator('.truncate').boundingBox()]);
      expect(icon!.x - (name!.x + name!.width)).toBeLessThan(24);
    }
    expect(await tab.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await tab.message('and in English').hover();
    await picture(tab, `rtl-${width}`);
    await tab.close();
  }
});

test('60: nobody else is asked, nothing is complained of, and the page can be installed', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann);
  await tab.enter(room);
  await tab.message('Shall we').first().waitFor();
  await tab.page.getByRole('button', { name: 'Emoji', exact: true }).click();
  await tab.page.getByRole('textbox', { name: 'Find an emoji' }).fill('heart');
  await tab.page.keyboard.press('Escape');
  await tab.page.keyboard.press('Control+k');
  await tab.page.getByRole('dialog', { name: 'Jump to' }).waitFor();
  await tab.page.keyboard.press('Escape');
  await tab.page.getByRole('dialog', { name: 'Jump to' }).waitFor({ state: 'detached' });
  await tab.say('nothing to complain of');
  await tab.message('nothing to complain of').locator('[data-ticks="sent"], [data-ticks="delivered"], [data-ticks="read"]').waitFor();
  await tab.page.reload();
  await tab.message('nothing to complain of').waitFor();
  expect(tab.strangers).toEqual([]);
  expect(tab.complaints).toEqual([]);
  const manifest = await (await fetch(`${node.url}/manifest.webmanifest`)).json() as { name: string; start_url: string; display: string };
  expect([manifest.name, manifest.start_url, manifest.display]).toEqual(['Hubbub', '/', 'standalone']);
  await tab.close();
});

test('no string becomes markup or a script\'s address, not even by a mistake of ours; the heart of the connection beats all the same', async () => {
  const tab = await Tab.open(browser, node.url);
  const workers: string[] = [];
  tab.page.on('worker', (worker) => workers.push(worker.url()));
  await tab.signIn(ann);
  await tab.enter(room);
  const refused = (act: string) => tab.page.evaluate((name) => {
    const acts: Record<string, () => unknown> = {
      markup: () => { document.createElement('div').innerHTML = '<b>text</b>'; },
      worker: () => new Worker(String('/sw.js')),
    };
    try { acts[name]!(); } catch (error) { return (error as Error).name; }
    return 'done';
  }, act);
  for (const act of ['markup', 'worker']) expect(await refused(act)).toBe('TypeError');
  await eventually(() => workers.length).toBe(1);
  expect(workers[0]).toMatch(new RegExp(`^${node.url}/assets/beat-`));
  await tab.close();
});

test('1: cold, on a slow line, the list is usable soon', async () => {
  const tab = await Tab.open(browser, node.url);
  const session = await tab.context.newCDPSession(tab.page);
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 40, downloadThroughput: 9e6 / 8, uploadThroughput: 9e6 / 8 });
  await tab.page.goto(node.url);
  await tab.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  console.log(`cold on 4G: the first page is there after ${Math.round(await tab.page.evaluate(() => performance.now()))} ms`);
  await tab.close();
});
