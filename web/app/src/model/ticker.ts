// The SDK's ticker, driven by the Worker; by the page's timers where there are no workers.

import { timerTicker, type Ticker } from '@hubbub/sdk';
import beat from './beat?worker&url';
import { ownScript } from './trusted';

export function workerTicker(): Ticker {
  if (typeof Worker === 'undefined') return timerTicker;
  const ticks = new Map<number, () => void>();
  let started: Worker | null = null;
  let next = 1;
  // Not before the first beat: a page that comes up has better things to do.
  const beats = (): Worker => {
    if (started) return started;
    started = new Worker(ownScript(beat), { type: 'module' });
    started.onmessage = (message: MessageEvent<number>) => ticks.get(message.data)?.();
    return started;
  };
  return {
    every(ms, tick) {
      const id = next++;
      ticks.set(id, tick);
      beats().postMessage({ id, ms });
      return () => {
        ticks.delete(id);
        beats().postMessage({ id, ms: 0 });
      };
    },
  };
}
