// The SDK's ticker, driven by the Worker; by the page's timers where there are no workers.

import { timerTicker, type Ticker } from '@hubbub/sdk';

export function workerTicker(): Ticker {
  if (typeof Worker === 'undefined') return timerTicker;
  const worker = new Worker(new URL('./beat.ts', import.meta.url), { type: 'module' });
  const ticks = new Map<number, () => void>();
  let next = 1;
  worker.onmessage = (message: MessageEvent<number>) => ticks.get(message.data)?.();
  return {
    every(ms, tick) {
      const id = next++;
      ticks.set(id, tick);
      worker.postMessage({ id, ms });
      return () => {
        ticks.delete(id);
        worker.postMessage({ id, ms: 0 });
      };
    },
  };
}
