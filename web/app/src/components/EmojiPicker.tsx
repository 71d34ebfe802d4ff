// Emoji to pick, found by word, the last used first. Its data is loaded when it first opens.

import { useEffect, useMemo, useState } from 'react';
import { Icon } from './Icon';
import { say, spoken } from '../words';

type Emoji = readonly [text: string, label: string, words: string, group: number];
/** By the numbers of the data. */
const GROUPS = { 0: 'smileys', 1: 'people', 3: 'nature', 4: 'food', 5: 'travel', 6: 'activities', 7: 'objects', 8: 'symbols', 9: 'flags' } as const;
const COMMON = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '👀', '✅', '🔥'];
const RECENT = 'hubbub.emoji';

export const recentEmoji = (): string[] => {
  const kept = JSON.parse(localStorage.getItem(RECENT) ?? '[]') as string[];
  return [...new Set([...kept, ...COMMON])].slice(0, 16);
};

export function noteEmoji(emoji: string): void {
  localStorage.setItem(RECENT, JSON.stringify([emoji, ...recentEmoji().filter((each) => each !== emoji)].slice(0, 16)));
}

/** By their names in the language of the page; Arabic names are not to be had, so there they are English. */
export const loadEmoji = async (): Promise<Emoji[]> => (await (spoken().language === 'de' ? import('virtual:emoji-de') : import('virtual:emoji-en'))).default;

export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const [all, setAll] = useState<Emoji[] | null>(null);
  const [query, setQuery] = useState('');
  useEffect(() => { void loadEmoji().then(setAll); }, []);
  const found = useMemo(() => {
    const words = query.toLowerCase().trim();
    return words && all ? all.filter(([text, label, tags]) => text === words || label.toLowerCase().includes(words) || tags.includes(words)).slice(0, 120) : null;
  }, [all, query]);
  const pick = (emoji: string) => { noteEmoji(emoji); onPick(emoji); };
  return (
    <div className="w-[min(21rem,calc(100vw-2rem))]">
      <label className="relative m-1 block">
        <span className="sr-only">{say('emoji.find')}</span>
        <Icon name="search" size={16} className="absolute top-1/2 start-3 -translate-y-1/2 text-ink-3" />
        <input data-first className="field min-h-10 ps-9 text-sm" placeholder={say('emoji.find')} value={query} onChange={(event) => setQuery(event.target.value)} onKeyDown={(event) => { if (event.key === 'Enter' && found?.[0]) pick(found[0][0]); }} />
      </label>
      <div className="h-72 overflow-y-auto p-1" tabIndex={-1}>
        {found ? <Grid title={say(found.length ? 'emoji.found' : 'emoji.none')} rows={found} onPick={pick} /> : (
          <>
            <Grid title={say('emoji.recent')} rows={recentEmoji().map((text) => [text, all?.find((each) => each[0] === text)?.[1] ?? text, '', -1])} onPick={pick} />
            {all ? Object.entries(GROUPS).map(([group, name]) => <Grid key={group} title={say(`emoji.${name}`)} rows={all.filter((each) => each[3] === Number(group))} onPick={pick} />) : <div className="pulse m-1 h-40 rounded-lg bg-pressed" />}
          </>
        )}
      </div>
    </div>
  );
}

function Grid({ title, rows, onPick }: { title: string; rows: Emoji[]; onPick: (emoji: string) => void }) {
  return (
    <section aria-label={title} className="[contain-intrinsic-size:auto_20rem] [content-visibility:auto]">
      <h3 className="px-1 pt-2 pb-1 text-xs font-medium text-ink-3">{title}</h3>
      <div className="grid grid-cols-8">
        {rows.map(([text, label]) => (
          <button key={text} type="button" aria-label={label} title={label} onClick={() => onPick(text)} className="flex aspect-square items-center justify-center rounded-md text-xl hover:bg-hover focus-visible:bg-hover">{text}</button>
        ))}
      </div>
    </section>
  );
}
