// The SDK's ticker, driven by the Worker; by the page's timers where there are no workers.

import { timerTicker, type Ticker } from '@hubbub/sdk';
import beat from './beat?worker&url';
import { ownScript } from './trusted';

export function workerTicker(): Ticker {
  if (typeof Worker === 'undefined') return timerTicker;
  const worker = new Worker(ownScript(beat), { type: 'module' });
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
