// The named character references that people and imports write. Others stay as they were typed.

const NAMED: Record<string, string> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '©', reg: '®', trade: '™', hellip: '…', mdash: '—', ndash: '–',
  lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', larr: '←', rarr: '→', times: '×', euro: '€', deg: '°', middot: '·',
};

export function decodeNamedCharacterReference(name: string): string | false {
  return NAMED[name] ?? false;
}

/** For code of imported messages, where Markdown decodes nothing. */
export const decodeBasic = (text: string): string => text.replace(/&(lt|gt|amp);/g, (_, name: string) => NAMED[name]!);
