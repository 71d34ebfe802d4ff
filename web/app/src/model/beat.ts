// A Worker that only beats: a page's own timers are slowed to a minute in the background.

const timers = new Map<number, ReturnType<typeof setInterval>>();

self.onmessage = (message: MessageEvent<{ id: number; ms: number }>) => {
  const { id, ms } = message.data;
  clearInterval(timers.get(id));
  timers.delete(id);
  if (ms > 0) timers.set(id, setInterval(() => self.postMessage(id), ms));
};
