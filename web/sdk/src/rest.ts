// The REST side: one function that asks, with the access token, and turns problem+json into an error with the code of the one table.

import { RequestError } from './codes';
import type {
  ChannelEntry, Device, MemberEntry, Problem, Profile, ReceiptEntry, RoomId, RoomState, RoomKind, RoomSettings, Tokens, UserId, Event, Page,
} from './types';

export interface Asking { method?: string; body?: unknown; key?: string; query?: Record<string, string | number | undefined>; native?: boolean }
export type Ask = <T>(path: string, asking?: Asking) => Promise<T>;

const TIMEOUT_MS = 15_000;

export async function ask<T>(base: string, path: string, access: string | null, asking: Asking = {}): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asking.query ?? {})) if (value !== undefined && value !== '') query.set(name, String(value));
  const answer = await fetch(`${base}${path}${query.size > 0 ? `?${query}` : ''}`, {
    method: asking.method ?? 'GET',
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      ...(access ? { authorization: `Bearer ${access}` } : {}),
      ...(asking.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(asking.native ? { 'hubbub-client': 'native' } : {}),
      ...(asking.key ? { 'idempotency-key': asking.key } : {}),
    },
    ...(asking.body === undefined ? {} : { body: JSON.stringify(asking.body) }),
  }).catch((error: unknown) => { throw new RequestError('offline', error instanceof Error ? error.message : 'no network'); });
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json().catch(() => undefined)) as T;
  const problem = (await answer.json().catch(() => ({}))) as Partial<Problem>;
  const after = Number(answer.headers.get('retry-after'));
  const code = problem.code ?? (answer.status >= 500 ? 'unavailable' : 'bad_request');
  throw new RequestError(code, problem.detail ?? problem.title ?? `the node answered ${answer.status}`, after > 0 ? after * 1000 : undefined);
}

/** Every list and look-up that the app needs. */
export const reads = (ask: Ask) => ({
  me: () => ask<Profile>('/v1/me'),
  changeProfile: (display: string) => ask<Profile>('/v1/me', { method: 'PATCH', body: { display } }),
  users: (q: string, limit = 20) => ask<{ users: Profile[] }>('/v1/users', { query: { q, limit } }).then((found) => found.users),
  profiles: (ids: UserId[]) => ask<{ users: Profile[] }>('/v1/users', { query: { ids: ids.join(',') } }).then((found) => found.users),
  devices: () => ask<{ devices: Device[] }>('/v1/devices').then((found) => found.devices),
  revoke: (login: string) => ask<void>(`/v1/devices/${login}`, { method: 'DELETE' }),
  revokeOthers: () => ask<void>('/v1/devices', { method: 'DELETE' }),
  room: (room: RoomId) => ask<RoomState>(`/v1/rooms/${room}`),
  createRoom: (body: { room?: RoomId; kind: RoomKind; settings: RoomSettings; members: UserId[] }, key: string) =>
    ask<{ room: RoomId }>('/v1/rooms', { method: 'POST', body, key }),
  members: (room: RoomId, cursor?: string) =>
    ask<{ members: MemberEntry[]; cursor?: string }>(`/v1/rooms/${room}/members`, { query: { cursor, limit: 200 } }),
  channels: (workspace: RoomId, cursor?: string) =>
    ask<{ channels: ChannelEntry[]; cursor?: string }>(`/v1/workspaces/${workspace}/channels`, { query: { cursor, limit: 200 } }),
  receipts: (room: RoomId, cursor?: string) =>
    ask<{ receipts: ReceiptEntry[]; cursor?: string }>(`/v1/rooms/${room}/receipts`, { query: { cursor, limit: 200 } }),
  pins: (room: RoomId, cursor?: string) => ask<{ events: Event[]; marks: Event[]; cursor?: string }>(`/v1/rooms/${room}/pins`, { query: { cursor, limit: 100 } }),
  putMember: (room: RoomId, user: UserId, key: string) => ask<void>(`/v1/rooms/${room}/members/${user}`, { method: 'PUT', body: {}, key }),
  page: (room: RoomId, query: Record<string, number>) => ask<Page & { events: Event[] }>(`/v1/rooms/${room}/messages`, { query }),
});

export type { Tokens };
