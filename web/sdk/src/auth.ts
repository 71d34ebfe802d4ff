// Who is signed in. The access token lives in memory only; the refresh token is the browser's cookie, or kept by the caller elsewhere.
// One refresh at a time, over all pages of a browser when a lock is passed.

import type { Addresses } from './addresses';
import { RequestError } from './codes';
import { ask, type Asking } from './rest';
import type { DeviceId, Tokens } from './types';

export interface AuthOptions {
  addresses: Addresses;
  device: DeviceId;
  label: string;
  /** Runs one at a time everywhere this login is used: a rotated token that is used twice signs the device out. */
  lock?: <T>(act: () => Promise<T>) => Promise<T>;
  /** Where there is no cookie jar: the refresh token, kept by the caller. */
  keep?: { load(): string | null; save(token: string | null): void };
}

export class Auth {
  tokens: Tokens | null = null;
  private expiresAt = 0;
  private refreshing: Promise<Tokens> | null = null;
  private readonly options: AuthOptions;

  constructor(options: AuthOptions) {
    this.options = options;
  }

  private get base(): string { return this.options.addresses.now.base; }
  /** Where the refresh token is taken: a cookie goes to its own node only. */
  private get home(): string { return this.options.keep ? this.base : this.options.addresses.own.base; }

  /** `invite`: the code of an invitation, where sign-up needs one. */
  signUp(name: string, display: string, password: string, invite?: string): Promise<Tokens> {
    const { device, label } = this.options;
    return this.take('/v1/auth/signup', { name, display, password, device, label, ...(invite ? { invite } : {}) });
  }

  logIn(name: string, password: string): Promise<Tokens> {
    const { device, label } = this.options;
    return this.take('/v1/auth/login', { name, password, device, label });
  }

  async logOut(): Promise<void> {
    const access = this.tokens?.access ?? null;
    this.tokens = null;
    this.options.keep?.save(null);
    await ask<void>(this.home, '/v1/auth/logout', access, { method: 'POST', body: {} }).catch(() => undefined);
  }

  refresh(): Promise<Tokens> {
    const lock = this.options.lock ?? ((act) => act());
    const { device } = this.options;
    const refresh = this.options.keep?.load() ?? undefined;
    // The device is what lets a refresh whose answer was lost be asked again.
    this.refreshing ??= lock(() => this.take('/v1/auth/refresh', refresh ? { refresh, device } : { device })).finally(() => { this.refreshing = null; });
    return this.refreshing;
  }

  /** A token that lasts for a while yet. */
  async access(stale = false): Promise<string> {
    if (!stale && this.tokens && Date.now() < this.expiresAt - 30_000) return this.tokens.access;
    return (await this.refresh()).access;
  }

  /** Asks REST as this user; a stale token is refreshed once. */
  readonly ask = async <T>(path: string, asking?: Asking): Promise<T> => {
    try {
      return await ask<T>(this.base, path, await this.access(), asking);
    } catch (error) {
      if (!(error instanceof RequestError) || (error.code !== 'token_expired' && error.code !== 'unauthenticated')) throw error;
      return ask<T>(this.base, path, await this.access(true), asking);
    }
  };

  private async take(path: string, body: object): Promise<Tokens> {
    const tokens = await ask<Tokens>(this.home, path, null, { method: 'POST', body, native: this.options.keep !== undefined });
    this.tokens = tokens;
    this.expiresAt = Date.now() + tokens.expires_in_s * 1000;
    if (tokens.refresh) this.options.keep?.save(tokens.refresh);
    return tokens;
  }
}
