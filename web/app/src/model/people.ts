// Who the ids are: asked in batches, kept in the store and on disk. An id that nobody knows is not asked for again.

import type { Client, Profile, UserId } from '@hubbub/sdk';
import type { Cache } from './cache';
import { getApp, setApp } from './state';

const BATCH_MAX = 100;
const WAIT_MS = 20;

export class People {
  private wanted = new Set<UserId>();
  private asked = new Set<UserId>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly client: Client;
  private readonly cache: Cache;

  constructor(client: Client, cache: Cache) {
    this.client = client;
    this.cache = cache;
  }

  want(ids: readonly UserId[]): void {
    const { people } = getApp();
    for (const id of ids) if (!people[id] && !this.asked.has(id)) this.wanted.add(id);
    if (this.wanted.size > 0) this.timer ??= setTimeout(() => void this.ask(), WAIT_MS);
  }

  take(profiles: readonly Profile[], keep = true): void {
    if (profiles.length === 0) return;
    setApp((was) => ({
      people: { ...was.people, ...Object.fromEntries(profiles.map((profile) => [profile.id, profile])) },
      here: { ...Object.fromEntries(profiles.map(({ id, status, last_seen }) => [id, { status: keep ? status : 'offline', last_seen }])), ...was.here },
    }));
    if (keep) void this.cache.keepPeople([...profiles]).catch(() => undefined);
  }

  async search(query: string): Promise<Profile[]> {
    const found = await this.client.rest.users(query);
    this.take(found);
    return found;
  }

  clear(): void {
    this.asked.clear();
    setApp({ people: {} });
  }

  private async ask(): Promise<void> {
    this.timer = null;
    const batch = [...this.wanted].slice(0, BATCH_MAX);
    for (const id of batch) { this.wanted.delete(id); this.asked.add(id); }
    try {
      this.take(await this.client.rest.profiles(batch));
    } catch {
      for (const id of batch) this.asked.delete(id);
    }
    if (this.wanted.size > 0) this.timer ??= setTimeout(() => void this.ask(), WAIT_MS);
  }
}
