// People: who types, who is here, who has read; drafts and devices; channels, groups and direct rooms.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { Api, type Person } from '../src/api';
import { eventually, openBrowser, Tab } from '../src/browser';
import { HubbubNode } from '../src/node';

let node: HubbubNode, browser: Browser, api: Api, ann: Person, ben: Person, cat: Person, room: string, direct: string, a: Tab, b: Tab;

beforeAll(async () => {
  [node, browser] = await Promise.all([HubbubNode.start(), openBrowser()]);
  api = new Api(node.url);
  [ann, ben, cat] = [await api.person('Ann'), await api.person('Ben'), await api.person('Cat')];
  room = await api.room(ann, 'group', { name: 'Three' }, [ben, cat]);
  direct = await api.room(ann, 'direct', {}, [ben]);
  a = await Tab.signedIn(browser, node.url, ann);
  b = await Tab.signedIn(browser, node.url, ben);
  await a.enter(room);
  await b.enter(room);
});
afterAll(async () => { await browser?.close(); await node?.stop(); });

test('41: who types is named, and gone when they stop', async () => {
  await b.composer.pressSequentially('I am');
  await a.page.getByText('Ben is typing').waitFor();
  await b.composer.fill('');
  await a.page.locator('[data-typing]').waitFor({ state: 'detached' });
  await b.composer.pressSequentially('so');
  await a.page.getByText('Ben is typing').waitFor();
  await b.composer.press('Enter');
  await a.message('so').waitFor();
  await a.page.locator('[data-typing]').waitFor({ state: 'detached' });
});

test('42: presence is right: here, do not disturb, gone', async () => {
  const dot = a.page.locator(`[data-room="${direct}"] [data-status]`);
  await eventually(() => dot.getAttribute('data-status')).toBe('online');
  await b.page.getByRole('button', { name: 'You: status and settings' }).click();
  await b.page.getByRole('radio', { name: 'Do not disturb' }).click();
  await eventually(() => dot.getAttribute('data-status')).toBe('busy');
  await b.page.getByRole('button', { name: 'You: status and settings' }).click();
  await b.page.getByRole('radio', { name: 'Online' }).click();
  await eventually(() => dot.getAttribute('data-status')).toBe('online');
  const third = await Tab.signedIn(browser, node.url, cat);
  await a.page.getByRole('button', { name: /^Members/ }).click();
  const cats = a.page.getByRole('complementary', { name: 'Members' }).locator('li', { hasText: 'Cat' }).locator('[data-status]');
  await eventually(() => cats.getAttribute('data-status')).toBe('online');
  await third.close();
  await eventually(() => cats.getAttribute('data-status'), 40_000).toBe('offline');
  await a.page.keyboard.press('Escape');
});

test('19: receipts are small, tell sent from read, and list who', async () => {
  await b.enter(direct);
  await a.enter(room);
  await a.say('who reads this');
  const row = a.message('who reads this');
  await row.locator('[data-ticks="sent"], [data-ticks="delivered"]').waitFor();
  await b.enter(room);
  await b.message('who reads this').waitFor();
  await row.locator('[data-ticks="read"]').waitFor();
  await row.locator('[data-ticks]').click();
  const list = a.page.getByRole('dialog', { name: 'Who has read it' });
  await list.getByText('Read by 1').waitFor();
  await list.getByText('Ben').waitFor();
  await a.page.keyboard.press('Escape');
});

test('23: a draft survives a reload and comes to the other device', async () => {
  await a.enter(direct);
  await a.composer.pressSequentially('half a tho');
  await a.page.reload();
  await eventually(() => a.composer.inputValue()).toBe('half a tho');
  const second = await Tab.signedIn(browser, node.url, ann);
  await second.enter(direct);
  await eventually(() => second.composer.inputValue()).toBe('half a tho');
  await second.composer.press('End');
  await second.composer.pressSequentially('ught');
  await eventually(() => a.composer.inputValue()).toBe('half a thought');
  await a.enter(room);
  await a.page.locator(`[data-room="${direct}"][data-draft]`).waitFor();
  await second.composer.press('Enter');
  await second.message('half a thought').waitFor();
  await eventually(() => a.page.locator(`[data-room="${direct}"][data-draft]`).count()).toBe(0);
  await second.close();
});

test('23: a draft that was written while the node was down reaches the other device when it is back', async () => {
  await a.enter(room);
  await a.composer.fill('');
  await node.kill();
  await a.composer.pressSequentially('nobody heard');
  await a.page.locator('[data-banner="away"]').waitFor();
  await node.run();
  await a.page.locator('[data-banner="away"]').waitFor({ state: 'detached' });
  const second = await Tab.signedIn(browser, node.url, ann);
  await second.enter(room);
  await eventually(() => second.composer.inputValue()).toBe('nobody heard');
  await second.close();
  await a.page.reload();
  await eventually(() => a.composer.inputValue()).toBe('nobody heard');
  await a.composer.fill('');
});

test('48: devices are listed; one that is signed out elsewhere is out at once', async () => {
  const second = await Tab.signedIn(browser, node.url, ben, { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X) Firefox/130.0' });
  await b.page.getByRole('button', { name: 'You: status and settings' }).click();
  await b.page.getByRole('button', { name: 'Devices' }).click();
  const dialog = b.page.getByRole('dialog', { name: 'Devices' });
  await dialog.getByText('this one').waitFor();
  await dialog.getByRole('button', { name: 'Sign out Firefox · macOS' }).click();
  await second.page.getByText('This device was signed out').waitFor({ timeout: 5_000 });
  await eventually(() => dialog.getByText('Firefox · macOS').count()).toBe(0);
  await b.page.keyboard.press('Escape');
  await second.close();
});

test('a workspace, a channel in it, and another person who finds and joins it', async () => {
  await a.page.getByRole('button', { name: 'New workspace' }).click();
  await a.page.getByRole('textbox', { name: 'Name' }).fill('Acme');
  await a.page.getByRole('button', { name: 'Create workspace' }).click();
  await a.page.getByRole('heading', { name: 'general' }).first().waitFor();
  const workspace = await a.page.evaluate(() => localStorage.getItem('hubbub.workspace')!);
  await api.ask('PUT', `/v1/rooms/${workspace}/members/${ben.id}`, ann, {});
  await a.page.getByRole('button', { name: 'New channel' }).click();
  await a.page.getByRole('textbox', { name: /^Name/ }).fill('Design Reviews');
  await a.page.getByRole('button', { name: 'Create channel' }).click();
  await a.page.getByRole('heading', { name: 'design-reviews' }).first().waitFor();
  await a.say('first in the channel');
  await b.page.getByRole('navigation', { name: 'Workspaces' }).getByRole('button', { name: 'Acme' }).click();
  await b.page.getByRole('button', { name: 'Browse channels' }).click();
  await b.page.getByRole('button', { name: 'Join design-reviews' }).click();
  await b.message('first in the channel').waitFor();
  await b.say('found it');
  await a.message('found it').waitFor();
});

test('a group of three is started, with a person searched by name', async () => {
  await a.page.getByRole('navigation', { name: 'Rooms' }).getByRole('button', { name: 'New message' }).click();
  const find = a.page.getByRole('combobox', { name: 'Find people by name' });
  for (const person of [ben, cat]) {
    await find.fill(person.name);
    await a.page.getByRole('option', { name: new RegExp(person.name) }).waitFor();
    await find.press('Enter');
  }
  await a.page.getByLabel(/Name of the group/).fill('Lunch');
  await a.page.getByRole('button', { name: 'Start the group' }).click();
  await a.page.getByRole('heading', { name: 'Lunch' }).first().waitFor();
  await a.say('noodles?');
  await b.page.getByRole('link', { name: /Lunch/ }).waitFor();
});
