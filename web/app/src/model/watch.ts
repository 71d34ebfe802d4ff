// Whose presence is on the screen: what is mounted says so, the node is told now and then.

import type { UserId } from '@hubbub/sdk';

const WATCH_MAX = 200;
const SAY_EVERY_MS = 400;

export class Watch {
  private counts = new Map<UserId, number>();
  private said = '';
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly say: (users: UserId[]) => void;

  constructor(say: (users: UserId[]) => void) {
    this.say = say;
  }

  /** Until the returned function is called. */
  add(user: UserId): () => void {
    this.counts.set(user, (this.counts.get(user) ?? 0) + 1);
    this.soon();
    return () => {
      const left = (this.counts.get(user) ?? 1) - 1;
      if (left > 0) this.counts.set(user, left);
      else this.counts.delete(user);
      this.soon();
    };
  }

  /** A new connection watches nobody. */
  again(): void {
    this.said = '';
    this.soon();
  }

  private soon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const users = [...this.counts.keys()].slice(0, WATCH_MAX).sort();
      const words = users.join();
      if (words === this.said) return;
      this.said = words;
      this.say(users);
    }, SAY_EVERY_MS);
  }
}
