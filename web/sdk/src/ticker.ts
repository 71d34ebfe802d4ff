// What beats the heart of a connection. A page passes one that a Worker drives, since browsers throttle a page's timers.

export interface Ticker {
  /** Calls back about every `ms` until the returned function is called. */
  every(ms: number, tick: () => void): () => void;
}

export const timerTicker: Ticker = {
  every(ms, tick) {
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  },
};
