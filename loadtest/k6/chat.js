// A second opinion on `hubbub-bench`: k6 drives the same node with the same load. People sign up over REST, make rooms, connect by WebSocket, post at an
// even pace and check the place of everything that they hear. `chat.toml` beside this file is the same load for `hubbub-bench`.
//
//   k6 run loadtest/k6/chat.js
//
// against `cargo xtask up`; NODE, USERS, ROOM, SECONDS, PER_SECOND change it (`-e SECONDS=60`). A node lets one address sign up 60 people: more want a node
// with larger bounds.
//
// It is not a checker: it counts, looks for gaps and doubles on a connection, and does not resume.

import exec from 'k6/execution';
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';

const node = __ENV.NODE || '127.0.0.1:8080';
const users = Number(__ENV.USERS || 50);
const roomSize = Number(__ENV.ROOM || 10);
const seconds = Number(__ENV.SECONDS || 20);
const perSecond = Number(__ENV.PER_SECOND || 1);
// Everybody is connected when the first posts, and hears the last.
const before = 5;
const after = 3;

const posts = new Counter('posts');
const acks = new Counter('acks');
const deliveries = new Counter('deliveries');
const outOfPlace = new Counter('out_of_place');
const refused = new Counter('refused');
const lost = new Counter('lost_connections');
const ackTime = new Trend('ack_ms', true);
const deliveryTime = new Trend('delivery_ms', true);

export const options = {
  scenarios: {
    people: { executor: 'per-vu-iterations', vus: users, iterations: 1, maxDuration: `${before + seconds + after + 30}s` },
  },
  thresholds: {
    out_of_place: ['count==0'],
    refused: ['count==0'],
    lost_connections: ['count==0'],
    checks: ['rate==1'],
  },
  summaryTrendStats: ['min', 'med', 'p(90)', 'p(99)', 'max'],
};

// Of version 7 (RFC 9562): the node takes no other for a room.
function uuid() {
  const digits = (count) => [...Array(count)].map(() => Math.floor(Math.random() * 16).toString(16)).join('');
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3)}-8${digits(3)}-${digits(12)}`;
}

function call(path, body, access) {
  const headers = { 'Content-Type': 'application/json', 'Hubbub-Client': 'native' };
  if (access) headers.Authorization = `Bearer ${access}`;
  const answer = http.post(`http://${node}${path}`, JSON.stringify(body), { headers });
  if (answer.status >= 300) throw new Error(`${path} was answered with ${answer.status}: ${answer.body}`);
  return answer.json();
}

// The people, each with a room.
export function setup() {
  const prefix = `k6-${uuid().slice(0, 8)}-`;
  const people = [];
  for (let n = 0; n < users; n += 1) {
    const device = uuid();
    const tokens = call('/v1/auth/signup', { name: `${prefix}${n}`, password: 'a load test\'s password', device });
    people.push({ user: tokens.user, access: tokens.access, device });
  }
  for (let n = 0; n < users; n += roomSize) {
    const members = people.slice(n, n + roomSize);
    const room = uuid();
    const settings = { name: `k6 ${n}` };
    call('/v1/rooms', { room, kind: 'group', settings, members: members.slice(1).map((it) => it.user) }, members[0].access);
    members.forEach((it) => { it.room = room; });
  }
  return { people, begin: Date.now() + before * 1000 };
}

// In milliseconds with their fractions, the same for all.
const now = () => exec.instance.currentTestRunDuration;

export default function person({ people, begin }) {
  const me = people[(exec.vu.idInTest - 1) % people.length];
  // A node lets 20 of an address in at a time that have not said who they are.
  sleep((3 * ((exec.vu.idInTest - 1) % users)) / users);
  const socket = new WebSocket(`ws://${node}/v1/ws`, 'hubbub.v1.json');
  const waiting = new Map();
  let head = 0;
  let id = 0;
  let isOver = false;
  const say = (event) => socket.send(JSON.stringify(event));

  function post() {
    id += 1;
    const at = now();
    waiting.set(id, at);
    // The time stands in the text, which is filled up to 128 bytes.
    say({ post: { id, room: me.room, cmid: uuid(), after: head, text: `[${at}] `.padEnd(128, 'quick brown fox ') } });
    posts.add(1);
  }

  socket.addEventListener('open', () => say({ hello: { token: me.access, device: me.device } }));
  socket.addEventListener('message', ({ data }) => {
    const said = JSON.parse(data);
    if (said.event) {
      const { seq, body } = said.event;
      if (seq !== head + 1) outOfPlace.add(1);
      head = seq;
      deliveries.add(1);
      if (body.message) deliveryTime.add(now() - Number(body.message.text.slice(1, body.message.text.indexOf(']'))));
    } else if (said.ok) {
      acks.add(1);
      ackTime.add(now() - waiting.get(said.ok.id));
      waiting.delete(said.ok.id);
    } else if (said.error) {
      refused.add(1);
    } else if (said.ready) {
      head = said.ready.rooms.find((it) => it.room === me.room).head;
      const first = Math.max(0, begin - Date.now()) + (Math.random() * 1000) / perSecond;
      setTimeout(() => {
        post();
        const pace = setInterval(post, 1000 / perSecond);
        setTimeout(() => clearInterval(pace), seconds * 1000 - 500 / perSecond);
      }, first);
      setTimeout(() => {
        isOver = true;
        check(waiting, { 'every post was acknowledged': (it) => it.size === 0 });
        socket.close(1000);
      }, begin - Date.now() + (seconds + 1 / perSecond + after) * 1000);
    }
  });
  socket.addEventListener('close', () => { if (!isOver) lost.add(1); });
}
