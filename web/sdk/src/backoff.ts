// When to try again. Pure: randomness comes in as a number.

/** Full jitter between a quarter of and the whole step; steps double from 250 ms to 15 s. */
export function backoff(attempt: number, random: number): number {
  const step = Math.min(15_000, 250 * 2 ** Math.min(attempt, 10));
  return Math.round(step * (0.25 + 0.75 * random));
}
