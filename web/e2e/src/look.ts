// How a page looks, for tests of its form: kept as a picture, judged by axe, searched for what does not fit.

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Tab } from './browser';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** With PICTURES=<folder> the pages are kept, to be looked at. */
export async function picture(tab: Tab, name: string): Promise<void> {
  if (!process.env.PICTURES) return;
  mkdirSync(process.env.PICTURES, { recursive: true });
  await tab.page.screenshot({ path: `${process.env.PICTURES}/${name}.png` });
}

/** What axe finds serious. */
export async function serious(tab: Tab): Promise<string[]> {
  await tab.page.evaluate(axe);
  return tab.page.evaluate(async () => {
    const { violations } = await (window as never as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe.run();
    return violations.filter((each) => each.impact === 'serious' || each.impact === 'critical').map((each) => `${each.id}: ${each.nodes[0]!.html} ${each.nodes[0]!.failureSummary}`);
  });
}

/** Own words that are cut off or out of the window. Names and texts of people may be cut, with an ellipsis. */
export const misfits = (tab: Tab): Promise<string[]> => tab.page.evaluate(() => {
  const width = document.documentElement.clientWidth;
  const badged = (each: HTMLElement) => [...each.children].some((child) => getComputedStyle(child).position === 'absolute');
  const own = [...document.querySelectorAll<HTMLElement>('button, label, legend, h1, h2, h3, p, dt, dd, [role="separator"] span, select')].filter((each) => !each.closest('article, .truncate, .sr-only, [inert]') && !each.querySelector('.truncate, .line-clamp-3') && !badged(each));
  const cut = own.filter((each) => each.getClientRects().length > 0 && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline');
  const outside = own.filter((each) => { const { left, right, width: w } = each.getBoundingClientRect(); return w > 0 && (left < -1 || right > width + 1) && !each.closest('[aria-hidden="true"]'); });
  const tell = (word: string) => (each: HTMLElement) => `${word}: ${each.tagName} ${each.getAttribute('aria-label') ?? each.textContent}`;
  return [...cut.map(tell('cut')), ...outside.map(tell('outside')), ...(document.documentElement.scrollWidth > width ? ['the page is wider than the window'] : [])];
});
