// The emoji picker's data, cut down at build time to what it shows: character, name, words, group. Loaded by the app when the picker opens,
// in the language of the page where there is data for it; English names find an emoji in each.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

interface Full { emoji: string; label: string; tags?: string[]; group?: number; order?: number }

const ID = /^virtual:emoji-(\w+)$/;

export function emoji(): Plugin {
  return {
    name: 'hubbub-emoji',
    resolveId: (id) => (ID.test(id) ? `\0${id}` : null),
    load(id) {
      const language = ID.exec(id.slice(1))?.[1];
      if (!id.startsWith('\0') || !language) return null;
      const english = new Map(read('en').map(({ emoji: text, label }) => [text, label]));
      const all = read(language).filter((each) => each.group !== undefined && each.group !== 2);
      all.sort((a, b) => a.order! - b.order!);
      const words = ({ emoji: text, tags }: Full) => [...(tags ?? []), ...(language === 'en' ? [] : [english.get(text) ?? ''])].join(' ').toLowerCase();
      const rows = all.map((each) => [each.emoji, each.label, words(each), each.group]);
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(rows))});`;
    },
  };
}

const read = (language: string): Full[] => JSON.parse(readFileSync(createRequire(import.meta.url).resolve(`emojibase-data/${language}/data.json`), 'utf8')) as Full[];
