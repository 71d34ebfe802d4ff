// What events fold to, and its hash, as `schema/src/fold.rs` has it: how a client finds out that it has the same room as the node.
// Pure but for `crypto.subtle`; loaded only when a check is made.

import { Encoder } from '@msgpack/msgpack';
import { bytesOf } from './ids';
import type { Event, Role, RoomSettings, UserId } from './types';

interface MessageFold {
  user: UserId;
  text: string | null;
  edited: number;
  deleted: boolean;
  pinned: boolean;
  reactions: Map<string, Set<UserId>>;
}

const NIL = '00000000-0000-0000-0000-000000000000';
const fresh = (user = NIL): MessageFold => ({ user, text: null, edited: 0, deleted: false, pinned: false, reactions: new Map() });

export interface RoomFold {
  room: string;
  head: number;
  ordinal: number;
  settings: RoomSettings | null;
  members: Map<UserId, Role | null>;
  messages: Map<number, MessageFold>;
}

/** Events must come in rising seq. */
export function foldOf(room: string, events: readonly Event[]): RoomFold {
  const fold: RoomFold = { room, head: 0, ordinal: 0, settings: null, members: new Map(), messages: new Map() };
  for (const event of events) applyTo(fold, event);
  return fold;
}

function applyTo(fold: RoomFold, event: Event): void {
  const { body } = event;
  fold.head = event.seq;
  fold.ordinal = event.ordinal;
  if (body === 'erased') return;
  if ('created' in body) {
    fold.settings = body.created.settings;
    for (const member of body.created.members) fold.members.set(member.user, member.role);
  } else if ('member' in body) fold.members.set(body.member.user, body.member.role);
  else if ('settings' in body) fold.settings = body.settings;
  else foldMessage(fold, event, body);
}

function foldMessage(fold: RoomFold, event: Event, body: Exclude<Event['body'], string>): void {
  const entry = (seq: number): MessageFold => {
    const known = fold.messages.get(seq) ?? fresh();
    fold.messages.set(seq, known);
    return known;
  };
  if ('message' in body) Object.assign(entry(event.seq), { user: event.user, text: body.message.text });
  else if ('edit' in body) {
    const message = entry(body.edit.target);
    if (!message.deleted) Object.assign(message, { text: body.edit.text, edited: event.seq });
  } else if ('delete' in body) {
    const { target } = body.delete;
    fold.messages.set(target, { ...fresh(entry(target).user), deleted: true });
  } else if ('react' in body) {
    const message = entry(body.react.target);
    if (!message.deleted) react(message, body.react.emoji, event.user, body.react.on);
  } else if ('pin' in body) {
    const message = entry(body.pin.target);
    message.pinned = body.pin.on && !message.deleted;
  }
}

function react(message: MessageFold, emoji: string, user: UserId, on: boolean): void {
  const users = message.reactions.get(emoji) ?? new Set();
  if (on) users.add(user);
  else users.delete(user);
  if (users.size > 0) message.reactions.set(emoji, users);
  else message.reactions.delete(emoji);
}

/** Lower-case hex of SHA-256 over the canonical MessagePack. */
export async function hashOf(fold: RoomFold): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', encodeFold(fold) as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Named fields in the order of the Rust structs, maps sorted by key, ids as 16 bytes. */
export function encodeFold(fold: RoomFold): Uint8Array {
  const writer = new Writer();
  writer.map(6);
  writer.field('room', bytesOf(fold.room));
  writer.field('head', fold.head);
  writer.field('ordinal', fold.ordinal);
  writer.key('settings');
  if (fold.settings) settings(writer, fold.settings);
  else writer.value(null);
  writer.key('members');
  writer.map(fold.members.size);
  for (const [user, role] of [...fold.members].sort(byKey)) {
    writer.value(bytesOf(user));
    writer.value(role);
  }
  writer.key('messages');
  writer.map(fold.messages.size);
  for (const [seq, message] of [...fold.messages].sort((a, b) => a[0] - b[0])) {
    writer.value(seq);
    messageTo(writer, message);
  }
  return writer.bytes();
}

function settings(writer: Writer, of: RoomSettings): void {
  const fields: [string, unknown][] = [];
  if (of.name) fields.push(['name', of.name]);
  if (of.topic) fields.push(['topic', of.topic]);
  if (of.workspace) fields.push(['workspace', bytesOf(of.workspace)]);
  if (of.public) fields.push(['public', true]);
  if (of.archived) fields.push(['archived', true]);
  writer.map(fields.length);
  for (const [name, value] of fields) writer.field(name, value);
}

function messageTo(writer: Writer, message: MessageFold): void {
  writer.map(6);
  writer.field('user', bytesOf(message.user));
  writer.field('text', message.text);
  writer.field('edited', message.edited);
  writer.field('deleted', message.deleted);
  writer.field('pinned', message.pinned);
  writer.key('reactions');
  writer.map(message.reactions.size);
  for (const [emoji, users] of [...message.reactions].sort((a, b) => compareBytes(utf8(a[0]), utf8(b[0])))) {
    writer.value(emoji);
    writer.array(users.size);
    for (const user of [...users].sort()) writer.value(bytesOf(user));
  }
}

const byKey = (a: [string, unknown], b: [string, unknown]): number => (a[0] < b[0] ? -1 : 1);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** Writes headers by hand, because a plain object cannot say in which order its keys go or that a key is bytes. */
class Writer {
  private parts: Uint8Array[] = [];
  private encoder = new Encoder();
  value(value: unknown): void { this.parts.push(this.encoder.encode(value)); }
  key(name: string): void { this.value(name); }
  field(name: string, value: unknown): void { this.value(name); this.value(value); }
  map(size: number): void { this.header(size, 0x80, 0xde); }
  array(size: number): void { this.header(size, 0x90, 0xdc); }
  bytes(): Uint8Array {
    const all = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) { all.set(part, at); at += part.length; }
    return all;
  }
  private header(size: number, small: number, wide: number): void {
    if (size < 16) this.parts.push(Uint8Array.of(small | size));
    else if (size < 0x1_0000) this.parts.push(Uint8Array.of(wide, size >> 8, size & 0xff));
    else this.parts.push(Uint8Array.of(wide + 1, size >>> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff));
  }
}
