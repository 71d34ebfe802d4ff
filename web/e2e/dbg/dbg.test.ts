import { test } from 'vitest';
import { Api } from '../src/api'; import { openBrowser, Tab } from '../src/browser'; import { HubbubNode } from '../src/node';
import { uuidv7 } from '@hubbub/sdk';
test('dbg', async () => {
  const node = await HubbubNode.start(); const browser = await openBrowser(); const api = new Api(node.url);
  const ann = await api.person('Ann'); const ben = await api.person('Ben'); const cat = await api.person('Cat');
  const a = await Tab.open(browser, node.url); await a.page.goto(node.url);
  const res = await a.page.evaluate(async ({ tokens, url, others, ids, bn, bp }) => {
    const log: string[] = []; const t0 = Date.now();
    const open = (token: string, n: number) => new Promise<WebSocket>((ok) => { const ws = new WebSocket(url, 'hubbub.v1.json'); ws.onopen = () => ws.send(JSON.stringify({ hello: { token, device: ids[20 + n] } })); ws.onmessage = (m) => { const d = JSON.parse(m.data); if (d.ready) ok(ws); else if (d.room) log.push(`${Date.now() - t0} ${n} room ${d.room.settings.name}`); else if (d.ok) log.push(`${Date.now() - t0} ${n} ok ${d.ok.id}`); else if (d.error) log.push(JSON.stringify(d)); }; ws.onclose = (c) => log.push(`closed ${n} ${c.code}`); });
    const sockets: WebSocket[] = []; for (let n = 0; n < 2; n++) sockets.push(await open(tokens[n]!, n));
    const make = async (k: number) => { log.push(`${Date.now() - t0} create ${k}`); sockets[0]!.send(JSON.stringify({ create: { id: k + 1, room: ids[k], cmid: ids[40 + k], after: 0, kind: 'group', settings: { name: 'g' + k }, members: others } })); await new Promise((r) => setTimeout(r, 1000)); };
    await make(0);
    const login = async () => (await (await fetch('/v1/auth/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: bn, password: bp, device: ids[59], label: 'x' }) })).json());
    const t = await login(); const extra = await open(t.access, 8); await make(1);
    log.push('revoke ' + (await fetch('/v1/devices/' + t.login, { method: 'DELETE', headers: { authorization: 'Bearer ' + tokens[1] } })).status);
    await make(2); await make(3); await new Promise((r) => setTimeout(r, 12000)); await make(4); await new Promise((r) => setTimeout(r, 15000)); await make(5); await make(6); await new Promise((r) => setTimeout(r, 10000));
    return log;
  }, { bn: ben.name, bp: ben.password, tokens: [ann, ben, cat].map((p) => p.access), url: node.url.replace('http', 'ws') + '/v1/ws', others: [ben.id, cat.id], ids: Array.from({ length: 60 }, () => uuidv7()) });
  const { readFileSync } = await import('node:fs'); console.log(readFileSync((node as any).log, 'utf8').slice(-2500));
  console.log(res.join('\n'));
  await browser.close(); await node.stop();
});
