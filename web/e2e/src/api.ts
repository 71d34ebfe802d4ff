// People and rooms to look at, made over REST: what a test needs before it begins.

import { randomUUID } from 'node:crypto';
import { uuidv7 } from '@hubbub/sdk';

export interface Person { name: string; display: string; password: string; id: string; access: string }

let count = 0;

export class Api {
  constructor(private readonly url: string) {}

  async person(display: string): Promise<Person> {
    const name = `x${display.toLowerCase().replace(/[^a-z]/g, '').slice(0, 24)}${++count}`;
    const password = `secret of ${name}`;
    const tokens = await this.ask<{ user: string; access: string }>('POST', '/v1/auth/signup', null, { name, display, password, device: randomUUID(), label: 'a test' });
    return { name, display, password, id: tokens.user, access: tokens.access };
  }

  async room(owner: Person, kind: 'direct' | 'group' | 'channel' | 'workspace', settings: object, members: Person[]): Promise<string> {
    const landed = await this.ask<{ room: string }>('POST', '/v1/rooms', owner, { ...(kind === 'direct' ? {} : { room: uuidv7() }), kind, settings, members: members.map((person) => person.id) });
    return landed.room;
  }

  async post(by: Person, room: string, text: string, reply?: number): Promise<{ seq: number; ordinal: number }> {
    return this.ask('POST', `/v1/rooms/${room}/messages`, by, reply ? { text, reply } : { text });
  }

  async texts(by: Person, room: string): Promise<string[]> {
    const page = await this.ask<{ events: { body: { message?: { text: string } } | 'erased' }[] }>('GET', `/v1/rooms/${room}/messages?limit=200`, by);
    return page.events.flatMap(({ body }) => (body !== 'erased' && body.message ? [body.message.text] : []));
  }

  async ask<T>(method: string, path: string, by: Person | null, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...(by ? { authorization: `Bearer ${by.access}` } : {}), 'idempotency-key': uuidv7(), ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }
}
