// Which errors pass by themselves, and which closes invite back. Mirrors the tables of `schema/src/code.rs`; says nothing to people.

const temporary = new Set(['out_of_order', 'busy', 'rate_limited', 'unavailable', 'read_only', 'draining', 'too_many_connections', 'internal']);

/** Whether the same request, resent verbatim later, can succeed. */
export const isTemporary = (code: string): boolean => temporary.has(code);

/** Whether a client may connect again by itself after this close code. */
export const mayReconnect = (code: number): boolean => !((code >= 1002 && code <= 1003) || (code >= 1007 && code <= 1009) || (code >= 4100 && code <= 4199));

/** The access token was refused: refresh it once before giving up. */
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
