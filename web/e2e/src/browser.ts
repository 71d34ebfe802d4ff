// Chromium, and a person in it: a context of their own, signed in through the form, every complaint of the page kept.

import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Person } from './api';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function openBrowser(): Promise<Browser> {
  const { existsSync } = await import('node:fs');
  const program = process.env.CHROMIUM ?? PROGRAMS.find((path) => existsSync(path));
  if (!program) throw new Error('Chromium is missing: install it, or say where it is in CHROMIUM');
  return chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export class Tab {
  /** What the page complained of, and whom it asked besides its own node. */
  readonly complaints: string[] = [];
  readonly strangers: string[] = [];

  private constructor(readonly context: BrowserContext, readonly page: Page, readonly url: string) {
    context.setDefaultTimeout(12_000);
    page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text()); });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    if (process.env.FRAMES) {
      page.on('websocket', (socket) => {
        socket.on('framesent', ({ payload }) => console.log(new Date().toISOString().slice(17), '>>', String(payload).slice(0, 300)));
        socket.on('framereceived', ({ payload }) => console.log(new Date().toISOString().slice(17), '<<', String(payload).slice(0, 300)));
      });
    }
    context.on('request', (request) => { if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) this.strangers.push(request.url()); });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Tab> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
    return new Tab(context, await context.newPage(), url);
  }

  /** Another page of the same browser. */
  beside(page: Page): Tab {
    return new Tab(this.context, page, this.url);
  }

  static async signedIn(browser: Browser, url: string, person: Person, options: BrowserContextOptions = {}): Promise<Tab> {
    const tab = await Tab.open(browser, url, options);
    await tab.signIn(person);
    return tab;
  }

  async signIn(person: Person): Promise<void> {
    const { page } = this;
    await page.goto(`${this.url}/`);
    // In no language: pages are looked at in several.
    await page.locator('input[name="name"]').fill(person.name);
    await page.locator('input[name="password"]').fill(person.password);
    await page.locator('button[type="submit"]').click();
    await page.locator('nav').first().waitFor({ state: 'attached' });
  }

  async enter(room: string): Promise<void> {
    await this.page.locator(`[data-room="${room}"]`).click();
    await this.page.locator(`[data-room="${room}"][aria-current="page"]`).waitFor({ state: 'attached' });
    await this.composer.waitFor();
  }

  get composer(): Locator { return this.page.locator('textarea'); }
  get list(): Locator { return this.page.getByRole('log'); }
  message(text: string): Locator { return this.list.locator('article').filter({ hasText: text }); }
  get texts(): Promise<string[]> { return this.list.locator('article .markdown').allInnerTexts(); }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The tools that show over a message under the mouse. */
  async tool(text: string, name: string): Promise<void> {
    const row = this.message(text).last();
    await row.hover();
    await row.getByRole('toolbar').getByRole('button', { name, exact: true }).click();
  }

  async menu(text: string, name: string): Promise<void> {
    await this.tool(text, 'More');
    await this.page.getByRole('dialog', { name: 'Message' }).getByRole('button', { name, exact: true }).click();
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** Looks again until it holds. The only way these tests wait. */
export const eventually = <T>(look: () => Promise<T> | T, timeout = 15_000) => expect.poll(look, { timeout, interval: 50 });
