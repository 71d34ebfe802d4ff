// What can wait until the page is on the screen, but not for long.

export function whenIdle(act: () => void, timeout: number): void {
  // A page that nobody sees is not painted, and waits for nothing.
  if (document.visibilityState !== 'visible') act();
  else if ('requestIdleCallback' in window) requestIdleCallback(act, { timeout });
  else setTimeout(act, Math.min(timeout, 50));
}
