// Several pages of one browser: one sends the outbox and one refreshes at a time, and they tell each other what changed.

export class Tabs {
  private readonly channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('hubbub');
  private leave: (() => void) | null = null;

  /** Calls back while this page is the one that sends; waits for its turn behind the others. */
  hold(held: (holder: boolean) => void): void {
    if (!navigator.locks) return held(true);
    const leaving = new AbortController();
    let done: () => void = () => undefined;
    this.leave = () => { leaving.abort(); done(); };
    navigator.locks.request('hubbub.outbox', { signal: leaving.signal }, () => {
      held(true);
      return new Promise<void>((resolve) => { done = resolve; }).then(() => held(false));
    }).catch(() => undefined);
  }

  release(): void {
    this.leave?.();
    this.leave = null;
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
