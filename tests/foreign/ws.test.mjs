// npm's `ws` and MessagePack against a real node: the second wire format, binary frames, a client nobody here wrote.
// What a room does with requests is tested elsewhere. HUBBUB_BIN names the node's program.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decode, encode } from '@msgpack/msgpack';
import WebSocket from 'ws';

const DEADLINE_MS = 90_000;
let node;

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

before(async () => {
  const [http, admin, folder] = [await freePort(), await freePort(), await mkdtemp(join(tmpdir(), 'hubbub-'))];
  const env = {
    ...process.env,
    HUBBUB_NODE_DATA_DIR: folder,
    HUBBUB_LISTEN_HTTP: `127.0.0.1:${http}`,
    HUBBUB_LISTEN_ADMIN: `127.0.0.1:${admin}`,
  };
  const child = spawn(process.env.HUBBUB_BIN, ['serve'], { env, stdio: 'ignore' });
  node = { child, folder, address: `127.0.0.1:${http}` };
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    assert.equal(child.exitCode, null, 'the node ended by itself');
    assert.ok(Date.now() < deadline, 'the node does not get ready');
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((again) => setTimeout(again, 50)); // poll
  }
});

after(async () => {
  const ended = new Promise((exit) => node.child.once('exit', exit));
  node.child.kill('SIGTERM');
  await ended;
  await rm(node.folder, { recursive: true });
});

/** A UUID that begins with the time in milliseconds (RFC 9562, 5.7). */
function uuid7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

async function rest(method, path, body, token, key) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (key) headers['idempotency-key'] = key;
  const answer = await fetch(`http://${node.address}${path}`, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** Opens a socket, says hello, and gives what the node says as promises, in order. */
async function open(person) {
  const socket = new WebSocket(`ws://${node.address}/v1/ws`, ['hubbub.v1.msgpack']);
  const said = [];
  const waiting = [];
  socket.on('message', (data, isBinary) => {
    assert.ok(isBinary, 'a text frame on the MessagePack subprotocol');
    const message = decode(data);
    const next = waiting.shift();
    if (next) next(message);
    else said.push(message);
  });
  await new Promise((opened, failed) => socket.once('open', opened).once('error', failed));
  assert.equal(socket.protocol, 'hubbub.v1.msgpack');
  const hear = async (kind) => {
    for (;;) {
      const message = said.shift() ?? (await new Promise((next) => waiting.push(next)));
      if (kind in message) return message[kind];
    }
  };
  const say = (message) => socket.send(encode(message));
  say({ hello: { token: person.access, device: person.device } });
  return { socket, hear, say, ready: await hear('ready') };
}

async function signUp(name) {
  const device = randomUUID();
  return { device, ...(await rest('POST', '/v1/auth/signup', { name, password: 'a long password', device })) };
}

test('two people talk over MessagePack', async () => {
  const [ann, bob] = [await signUp('ann'), await signUp('bob')];
  const made = { room: uuid7(), kind: 'group', settings: { name: 'two' }, members: [bob.user] };
  const { room } = await rest('POST', '/v1/rooms', made, ann.access, uuid7());
  const [from, to] = [await open(ann), await open(bob)];
  assert.equal(to.ready.rooms.length, 1);
  from.say({ post: { id: 1, room, cmid: uuid7(), after: 1, text: 'grüße 🌊' } });
  const done = await from.hear('ok');
  const event = await to.hear('event');
  assert.deepEqual([event.seq, event.body.message.text], [done.seq, 'grüße 🌊']);
  from.socket.close();
  to.socket.close();
});

test('a ping of the protocol and one of WebSocket are both answered', async () => {
  const person = await open(await signUp('cleo'));
  person.say({ ping: { id: 7 } });
  assert.equal((await person.hear('pong')).id, 7);
  const pong = new Promise((heard) => person.socket.once('pong', heard));
  person.socket.ping('are you there');
  assert.equal(String(await pong), 'are you there');
  person.socket.close();
});

test('a message in the other format closes with 1003', async () => {
  const person = await open(await signUp('dora'));
  const closed = new Promise((code) => person.socket.once('close', code));
  person.socket.send('{"ping":{"id":1}}');
  assert.equal(await closed, 1003);
});
