// Errors as sentences that a person can use: by their code. A code that this page does not know keeps the node's own sentence.

import { say, spoken, type Key } from '.';

export function sentence(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const detail = message ? `${message[0]!.toUpperCase()}${message.slice(1)}${/[.!?…]$/.test(message) ? '' : '.'}` : say('error');
  if (code === 'bad_request') return say('error.bad_request', { detail });
  const key = `error.${code ?? ''}`;
  return isSaid(key) ? say(key) : detail;
}

type Said = Exclude<Extract<Key, `error.${string}`>, 'error.bad_request'>;
const isSaid = (key: string): key is Said => Object.hasOwn(spoken().phrases, key);
