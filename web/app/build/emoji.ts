// The emoji picker's data, cut down at build time to what it shows: character, name, words, group. Loaded by the app when the picker opens.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

interface Full { emoji: string; label: string; tags?: string[]; group?: number; order?: number }

const ID = 'virtual:emoji';

export function emoji(): Plugin {
  return {
    name: 'hubbub-emoji',
    resolveId: (id) => (id === ID ? `\0${ID}` : null),
    load(id) {
      if (id !== `\0${ID}`) return null;
      const path = createRequire(import.meta.url).resolve('emojibase-data/en/data.json');
      const all = (JSON.parse(readFileSync(path, 'utf8')) as Full[]).filter((each) => each.group !== undefined && each.group !== 2);
      all.sort((a, b) => a.order! - b.order!);
      const rows = all.map(({ emoji: text, label, tags, group }) => [text, label, (tags ?? []).join(' '), group]);
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(rows))});`;
    },
  };
}
