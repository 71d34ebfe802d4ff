// Several pages of one browser: one leads, which is to hold the socket and to send the outbox; one refreshes at a time; and they tell each
// other what changed. The browser's lock decides: a page that is closed, or hangs, leads no more.

import type { Channel } from '@hubbub/sdk';

const LEAD = 'hubbub.lead';

export class Tabs {
  private readonly channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('hubbub');
  private leave: (() => void) | null = null;

  /** Where the pages pass on what the socket says; null where pages cannot share one, and each has its own. */
  link(): Channel | null {
    if (typeof BroadcastChannel === 'undefined' || !navigator.locks) return null;
    const channel = new BroadcastChannel('hubbub.link');
    return { post: (word) => channel.postMessage(word), listen: (heard) => { channel.onmessage = (message) => heard(message.data); } };
  }

  /** Calls back when this page leads, and when it does no more; waits for its turn behind the others. */
  hold(held: (leads: boolean) => void): void {
    if (!navigator.locks) return held(true);
    this.release();
    this.request(held, false);
  }

  /** The page that leads does not answer: this one leads instead. */
  seize(held: (leads: boolean) => void): void {
    this.release();
    this.request(held, true);
  }

  release(): void {
    this.leave?.();
    this.leave = null;
  }

  private request(held: (leads: boolean) => void, steal: boolean): void {
    const leaving = new AbortController();
    let end: (() => void) | null = null;
    let left = false;
    this.leave = () => {
      left = true;
      leaving.abort();
      end?.();
      if (end) held(false);
    };
    const lead = (): Promise<void> | undefined => {
      if (left) return undefined;
      const until = new Promise<void>((resolve) => { end = resolve; });
      held(true);
      return until;
    };
    navigator.locks.request(LEAD, steal ? { steal } : { signal: leaving.signal }, lead).catch(() => undefined).then(() => {
      if (left) return;
      // Another page took it: wait for the next turn.
      held(false);
      this.request(held, false);
    });
  }

  /** One refresh at a time: a rotated token that is used twice signs the device out. */
  readonly alone = async <T>(act: () => Promise<T>): Promise<T> =>
    navigator.locks ? (await navigator.locks.request('hubbub.refresh', act)) as T : act();

  say(word: 'outbox' | 'signed-out' | 'signed-in'): void {
    this.channel?.postMessage(word);
  }

  listen(heard: (word: string) => void): void {
    if (this.channel) this.channel.onmessage = (message) => heard(String(message.data));
  }
}
