// The golden files as npm's MessagePack reads them: both formats say the same. Needs no node; how a file came to be is not its business.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { decode } from '@msgpack/msgpack';

const golden = new URL('../../schema/golden/', import.meta.url);

/** Ids are bytes in MessagePack and text in JSON. */
function asJson(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (Array.isArray(value)) return value.map(asJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, asJson(held)]));
}

for (const kind of ['client', 'server', 'event']) {
  test(`every golden ${kind} file says the same in both formats`, async () => {
    const files = (await readdir(new URL(`${kind}/`, golden))).filter((file) => file.endsWith('.hex'));
    assert.ok(files.length > 10);
    for (const file of files) {
      const read = (name) => readFile(new URL(`${kind}/${name}`, golden), 'utf8');
      const bytes = Buffer.from((await read(file)).replace(/\s/g, ''), 'hex');
      const text = JSON.parse(await read(file.replace('.msgpack.hex', '.json')));
      assert.deepEqual(asJson(decode(bytes)), text, file);
    }
  });
}
