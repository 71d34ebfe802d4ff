// A message's text as a tree. Pure. Raw HTML, indented code and underlined headings are text here: people do not mean them in chat.

import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmAutolinkLiteralFromMarkdown } from 'mdast-util-gfm-autolink-literal';
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmAutolinkLiteral } from 'micromark-extension-gfm-autolink-literal';
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough';
import { gfmTable } from 'micromark-extension-gfm-table';
import { decodeBasic } from './entities';

const KEPT_MAX = 400;
const kept = new Map<string, Root>();

/** Parsed once, the last few hundred kept. */
export function parse(text: string, imported: boolean): Root {
  const key = (imported ? '1' : '0') + text;
  const known = kept.get(key);
  if (known) return known;
  const tree = fromMarkdown(normalise(imported ? labelled(text) : text, imported), {
    extensions: [
      gfmAutolinkLiteral(), gfmStrikethrough({ singleTilde: false }), gfmTable(),
      { disable: { null: ['htmlFlow', 'htmlText', 'codeIndented', 'setextUnderline', 'definition'] } },
    ],
    mdastExtensions: [gfmAutolinkLiteralFromMarkdown(), gfmStrikethroughFromMarkdown(), gfmTableFromMarkdown()],
  });
  if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value!);
  kept.set(key, tree);
  return tree;
}

/** `<http://…|label>` of imports as the link it is, outside of code. */
const labelled = (text: string): string => text.split(/(```[\s\S]*?```|`[^`\n]*`)/).map((part, i) => (i % 2 === 1 ? part : part.replace(
  /<(https?:[^<>|\s]+)\|([^<>\n]+)>/g, (_, url: string, label: string) => `[${label.replace(/[[\]\\]/g, '\\$&')}](<${url}>)`,
))).join('');

/** Fences that share a line with text get lines of their own, as other chats write them; imported code has its entities decoded. */
export function normalise(text: string, imported: boolean): string {
  if (!text.includes('```')) return imported ? text.replace(/`[^`\n]*`/g, decodeBasic) : text;
  return text.replace(/(```)([\s\S]*?)(```|$)/g, (whole, open: string, inside: string, close: string, at: number) => {
    const before = text[at - 1];
    const after = text[at + whole.length];
    const info = /^[\w+#.-]*[ \t]*\n/.exec(inside)?.[0];
    if (info === undefined && !inside.includes('\n') && ((before !== undefined && before !== '\n') || (after !== undefined && after !== '\n'))) return whole;
    const code = imported ? decodeBasic(inside) : inside;
    const start = info === undefined ? '\n' : '';
    const end = close === '' || code.endsWith('\n') ? '' : '\n';
    return `${before !== undefined && before !== '\n' ? '\n' : ''}${open}${start}${code}${end}${close}${after !== undefined && after !== '\n' ? '\n' : ''}`;
  });
}

export type Piece = { text: string } | { mention: string } | { name: string } | { spoiler: string };

/** What Markdown leaves as text: mentions by id, names from imports, spoilers. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(/<@([^<>\n]{1,80})>|<[#!]([^<>\n]{1,80})>|\|\|([^|\n]+)\|\|/g)) {
    if (match.index > from) found.push({ text: text.slice(from, match.index) });
    if (match[3] !== undefined) found.push({ spoiler: match[3] });
    else if (match[2] !== undefined) found.push({ name: (match[0][1] === '#' ? '#' : '@') + (match[2].split('|')[1] ?? match[2]) });
    else if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(match[1]!)) found.push({ mention: match[1]!.toLowerCase() });
    else found.push({ name: `@${match[1]!.split('|')[1] ?? match[1]}` });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

/** Where a link may go, or null. `<http://…|label>` of imports comes with its label. */
export function linkOf(url: string): { href: string; label: string | null } | null {
  const [target, label] = url.includes('|') ? (url.split('|', 2) as [string, string]) : [url, null];
  const decoded = decodeURISafe(target);
  if (!/^(https?:|mailto:)/i.test(decoded.trim())) return null;
  return { href: target, label };
}

function decodeURISafe(text: string): string {
  try {
    return decodeURIComponent(text).replace(/[\u0000-\u0020]/g, '');
  } catch {
    return text.replace(/[\u0000-\u0020]/g, '');
  }
}

/** One line without marks, for the room list and quotes. */
export function plain(text: string, nameOf: (id: string) => string): string {
  return pieces(text.replace(/```[\w+#.-]*\n?|[*_~`]{1,3}(?=\S)|(?<=\S)[*_~`]{1,3}/g, '').replace(/<(https?:[^<>|\s]+)(?:\|([^<>]*))?>/g, (_, url: string, label?: string) => label ?? url))
    .map((piece) => ('text' in piece ? decodeBasic(piece.text) : 'mention' in piece ? `@${nameOf(piece.mention)}` : 'name' in piece ? piece.name : '▒▒▒'))
    .join('').replace(/\s+/g, ' ').trim();
}
