// The page in its languages: which one somebody gets, that it can be changed, and that the long words and the other direction fit everywhere.

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

const root = (tab: Tab) => tab.page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);
const atFrontDoor = async (locale: string, options = {}) => {
  const tab = await Tab.open(browser, node.url, { locale, ...options });
  await tab.page.goto(node.url);
  await tab.page.locator('button[type="submit"]').waitFor();
  return tab;
};

/** What is wrong with the page as it is now. */
async function look(tab: Tab, name: string): Promise<string[]> {
  await picture(tab, name);
  return [...(await serious(tab)), ...(await misfits(tab))].map((each) => `${name}: ${each}`);
}

test('the page speaks the first language of the browser that it knows, else English', async () => {
  for (const [locale, lang, dir, word] of [['de-CH', 'de', 'ltr', 'Willkommen zurück'], ['ar-EG', 'ar', 'rtl', 'أهلًا بعودتك'], ['fi-FI', 'en', 'ltr', 'Welcome back']] as const) {
    const tab = await atFrontDoor(locale);
    await tab.page.getByRole('heading', { name: word }).waitFor();
    expect(await root(tab)).toEqual([lang, dir]);
    await tab.close();
  }
});

test('only the words of one language are part of the first load', async () => {
  const tab = await Tab.open(browser, node.url, { locale: 'de-DE', serviceWorkers: 'block' });
  const asked: string[] = [];
  tab.page.on('request', (request) => { const name = /words-(\w+)-/.exec(request.url())?.[1]; if (name) asked.push(name); });
  await tab.signIn(ann);
  await tab.enter(room);
  expect(asked).toEqual(['de']);
  await tab.close();
});

test('another language is chosen in the settings: at once, with what was open and half a message kept; it stays on this device', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann);
  const { page } = tab;
  await tab.enter(room);
  await tab.composer.pressSequentially('half a sen');
  await page.getByRole('button', { name: 'You: status and settings' }).click();
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  await page.getByRole('combobox', { name: 'Language' }).selectOption('ar');
  await page.getByRole('dialog', { name: 'الإعدادات' }).waitFor();
  expect(await root(tab)).toEqual(['ar', 'rtl']);
  await page.getByRole('combobox', { name: 'اللغة' }).selectOption('de');
  await page.getByRole('dialog', { name: 'Einstellungen' }).waitFor();
  await page.keyboard.press('Escape');
  expect(await tab.composer.inputValue()).toBe('half a sen');
  await page.getByPlaceholder('Nachricht an #release').waitFor();
  await page.reload();
  await page.getByPlaceholder('Nachricht an #release').waitFor();
  expect(await root(tab)).toEqual(['de', 'ltr']);
  await tab.composer.fill('');
  await tab.close();
});

test('what the node refuses is said in the language of the page', async () => {
  const tab = await atFrontDoor('de-DE');
  await tab.page.getByLabel('Benutzername').fill(ann.name);
  await tab.page.getByLabel('Passwort').fill('not the one');
  await tab.page.getByRole('button', { name: 'Anmelden' }).click();
  await tab.page.getByRole('alert').getByText('Der Name oder das Passwort stimmt nicht.').waitFor();
  await tab.close();
});

test('an emoji is found by its German name in a German page, and by its English one', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann, { locale: 'de-DE' });
  await tab.enter(room);
  for (const word of [':rakete', ':rocket']) {
    await tab.composer.fill('');
    await tab.composer.pressSequentially(word);
    await tab.page.getByRole('option', { name: /🚀/ }).waitFor();
  }
  await tab.composer.fill('');
  await tab.close();
});

test('without a network the page opens in its language', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann, { locale: 'ar-EG' });
  await tab.enter(room);
  await tab.message('Shall we').first().waitFor();
  await eventually(() => tab.page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state)).toBe('activated');
  await tab.context.setOffline(true);
  await tab.page.reload();
  await tab.message('Shall we').first().waitFor();
  expect(await root(tab)).toEqual(['ar', 'rtl']);
  await tab.close();
});

for (const locale of ['de-DE', 'ar-EG']) {
  for (const width of [360, 1280]) {
    for (const scheme of ['light', 'dark'] as const) {
      test(`59: ${locale}, ${width} px, ${scheme}: every screen holds its words`, async () => {
        const touch = width === 360;
        const tab = await atFrontDoor(locale, { viewport: { width, height: touch ? 740 : 800 }, colorScheme: scheme, hasTouch: touch, isMobile: touch });
        const { page } = tab;
        const { keyboard } = page;
        const wrong: string[] = [];
        const see = async (name: string) => { wrong.push(...(await look(tab, `${locale.slice(0, 2)}-${name}-${width}-${scheme}`))); };
        await see('signin');
        await page.goto(`${node.url}/signup?invite=x`);
        await page.locator('button[type="submit"]').click();
        await page.locator('[aria-invalid="true"]').waitFor();
        await see('signup');
        await tab.signIn(ann);
        const line = page.locator(`[data-room="${room}"]`);
        if (touch) {
          await page.goto(node.url);
          await line.waitFor();
          await see('list');
        }
        await line.click();
        await tab.message('Shall we').first().waitFor();
        await eventually(() => page.evaluate(() => document.fonts.status)).toBe('loaded');
        await tab.list.evaluate((list) => { list.scrollTop = list.scrollHeight; });
        await see('room');
        await tab.list.evaluate((list) => { list.scrollTop = 0; });
        await page.locator('[data-row="system"]').first().waitFor();
        await see('room-start');
        const panels = page.locator('main header > div button');
        await panels.nth(0).click();
        await page.locator('input[type="date"]').waitFor();
        await see('date');
        await keyboard.press('Escape');
        for (const [at, name] of [[1, 'pins'], [2, 'members']] as const) {
          await panels.nth(at).click();
          await page.locator('aside').waitFor();
          await eventually(() => page.locator('aside [role="status"]').count()).toBe(0);
          await see(name);
          await keyboard.press('Escape');
          await eventually(() => page.locator('aside').count()).toBe(0);
        }
        await page.locator('main header > button').last().click();
        await page.locator('dialog input[name="name"]').waitFor();
        await see('about');
        await page.locator('dialog .btn-danger').click();
        await see('about-sure');
        await keyboard.press('Escape');
        await tab.list.locator('article').last().focus();
        await keyboard.press('Enter');
        await page.locator('[popover]:popover-open').waitFor();
        await see('menu');
        await keyboard.press('Escape');
        await tab.list.locator('article').last().focus();
        await keyboard.press('r');
        await eventually(() => page.locator('section > div .border-b').count()).toBe(1);
        await see('reply');
        await keyboard.press('Escape');
        if (touch) await page.locator('main header > button').first().click();
        for (const [at, name] of [[0, 'settings'], [1, 'devices'], [2, 'keys']] as const) {
          await page.locator('nav button[aria-haspopup]').click();
          await page.locator('[popover] .menu-item').first().waitFor();
          if (at === 0) await see('me');
          await page.locator('[popover] > .card > button').nth(at).click();
          await page.locator('dialog[open]').waitFor();
          if (name === 'devices') await page.locator('dialog time').first().waitFor();
          await see(name);
          await keyboard.press('Escape');
          await eventually(() => page.locator('dialog').count()).toBe(0);
        }
        const sections = page.locator('nav section > header button');
        for (const [at, name] of [[0, 'browse'], [1, 'channel'], [2, 'people']] as const) {
          await sections.nth(at).click();
          await page.locator('dialog[open] .btn').first().waitFor();
          await eventually(() => page.locator('dialog .pulse').count()).toBe(0);
          await see(name);
          await keyboard.press('Escape');
          await eventually(() => page.locator('dialog').count()).toBe(0);
        }
        await page.locator('nav button.border-dashed').click();
        await page.locator('dialog[open]').waitFor();
        await see('workspace');
        expect(wrong).toEqual([]);
        await tab.close();
      });
    }
  }
}

test('59: from right to left in earnest: the rail at the right, the tools at the left, panels beside what opened them, numbers and days as they are written there', async () => {
  const tab = await Tab.signedIn(browser, node.url, ann, { locale: 'ar-EG' });
  const { page } = tab;
  await tab.enter(room);
  await tab.message('On it.').hover();
  const x = async (locator: ReturnType<typeof page.locator>) => { const box = (await locator.boundingBox())!; return box.x + box.width / 2; };
  expect(await x(page.locator('nav').first())).toBeGreaterThan(await x(page.locator('nav').nth(1)));
  expect(await x(page.locator('nav').nth(1))).toBeGreaterThan(await x(page.locator('main')));
  expect(await x(page.getByRole('toolbar'))).toBeLessThan(await x(tab.list));
  await page.getByRole('toolbar').getByRole('button').last().click();
  const [tools, menu] = [(await page.getByRole('toolbar').boundingBox())!, (await page.locator('[popover]:popover-open').boundingBox())!];
  expect(menu.x).toBeLessThan(tools.x + tools.width);
  await page.keyboard.press('Escape');
  await page.locator('nav button[aria-haspopup]').click();
  const [mine, mineMenu] = [(await page.locator('nav button[aria-haspopup]').boundingBox())!, (await page.locator('[popover]:popover-open').boundingBox())!];
  expect(Math.abs(mine.x + mine.width - (mineMenu.x + mineMenu.width))).toBeLessThan(16);
  await page.keyboard.press('Escape');
  expect(await tab.list.locator('article header time').first().innerText()).toMatch(/[٠-٩]/);
  expect(await tab.message('Shall we').first().locator('p').first().evaluate((each) => getComputedStyle(each).direction)).toBe('ltr');
  await tab.close();
});
