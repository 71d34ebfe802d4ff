import { test } from 'vitest';
import { Api } from '../src/api'; import { openBrowser, Tab } from '../src/browser'; import { HubbubNode } from '../src/node';
import { readFileSync } from 'node:fs';
test('dbg', async () => {
  const node = await HubbubNode.start(); const browser = await openBrowser(); const api = new Api(node.url);
  const ann = await api.person('Ann'); const ben = await api.person('Ben');
  const room = await api.room(ann, 'group', { name: 'T' }, [ben]);
  const a = await Tab.open(browser, node.url);
  a.page.on('websocket', ws => { ws.on('framesent', f => console.log('>>', String(f.payload).slice(0, 400))); ws.on('framereceived', f => console.log('<<', String(f.payload).slice(0, 600))); ws.on('close', () => console.log('WS CLOSE')); });
  await a.signIn(ann); 
  try { await a.enter(room); await a.say('hi'); await a.message('hi').locator('[data-ticks="sent"]').waitFor({timeout:4000}); } catch (e) { console.log(String(e)); }
  await a.page.screenshot({ path: '/tmp/webshot/dbg.png' });
  console.log(a.complaints);
  console.log(readFileSync((node as any).log, 'utf8').slice(-1500));
  await browser.close(); await node.stop();
});
