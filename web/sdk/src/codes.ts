// Which errors pass by themselves, and which closes invite back, by the generated tables.

import { CLOSES, ERRORS } from './generated/types';

/** Whether the same request, resent verbatim later, can succeed. A code from a higher level is final. */
export const isTemporary = (code: string): boolean => (ERRORS as Record<string, { temporary: boolean }>)[code]?.temporary ?? false;

/** Whether a client may connect again by itself after this close code. */
export const mayReconnect = (code: number): boolean => CLOSES[code]?.reconnect ?? !(code >= 4100 && code <= 4199);

/** The access token was refused: refresh it before giving up. */
export const isStaleToken = (code: number): boolean => code === 4101;

/** This device was signed out, here or elsewhere. */
export const isRevoked = (code: number): boolean => code === 4102;

/** A request that failed, over either way. */
export class RequestError extends Error {
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  constructor(code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
  get temporary(): boolean {
    return this.code === 'offline' || isTemporary(this.code);
  }
}
