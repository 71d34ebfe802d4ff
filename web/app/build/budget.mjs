// Fails the build when the first load grows over its budget: 180 KB of script and 15 KB of style, gzip. The words of one language belong to it:
// the longest catalogue counts.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const page = readFileSync(`${dist}index.html`, 'utf8');
const packed = (path) => gzipSync(readFileSync(dist + path)).length;
const size = (pattern) => [...page.matchAll(pattern)].reduce((sum, match) => sum + packed(match[1]), 0);
const words = readdirSync(`${dist}assets`).filter((name) => name.startsWith('words-')).map((name) => packed(`assets/${name}`));
const script = size(/(?:src|href)="\/(assets\/[^"]+\.js)"/g) + Math.max(...words);
const style = size(/href="\/(assets\/[^"]+\.css)"/g);
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
console.log(`first load: ${kb(script)} of script (at most 180, ${words.map(kb).join(' or ')} of it words), ${kb(style)} of style (at most 15)`);
if (!(script > 0) || style === 0) throw new Error('the built page names no script, no words or no style');
if (script > 180 * 1024 || style > 15 * 1024) {
  console.error('over the budget: load what is not needed at first when it is first used');
  process.exit(1);
}
