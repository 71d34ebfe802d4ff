// The twelve lines that README shows are the program that is run here, with the address and the names of this test in their places.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { Api } from '../src/api';
import { eventually } from '../src/browser';
import { HubbubNode } from '../src/node';

test('the SDK\'s quickstart signs in, hears and posts', async () => {
  const node = await HubbubNode.start();
  const api = new Api(node.url);
  const [ann, ben] = [await api.person('Ann'), await api.person('Ben')];
  const room = await api.room(ann, 'group', {}, [ben]);
  const shown = /```ts\n([\s\S]*?)```/.exec(readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8'))![1]!;
  expect(shown.trim().split('\n').filter((line) => line.trim()).length).toBeLessThanOrEqual(12);
  let program = shown;
  for (const [there, here] of [['http://127.0.0.1:8080', node.url], ['ws://127.0.0.1:8080', node.url.replace('http', 'ws')], ["'ann'", `'${ann.name}'`], ["'a long password'", `'${ann.password}'`]] as const) {
    expect(program).toContain(there);
    program = program.replace(there, here);
  }
  const folder = resolve(import.meta.dirname, '../node_modules/.quickstart');
  mkdirSync(folder, { recursive: true });
  const file = resolve(folder, `${Date.now()}.ts`);
  writeFileSync(file, `${program}\nexport { client };\n`);
  const heard: unknown[] = [];
  const { log } = console;
  console.log = (...words: unknown[]) => { heard.push(words); };
  try {
    const { client } = await import(/* @vite-ignore */ file) as { client: { connection: { stop(): void } } };
    await eventually(() => api.texts(ben, room)).toEqual(['hello']);
    await eventually(() => heard).toContainEqual([2, ann.id, { message: { text: 'hello' } }]);
    client.connection.stop();
  } finally {
    console.log = log;
    rmSync(folder, { recursive: true, force: true });
    await node.stop();
  }
});
