// Completing `@name` and `:emoji` while writing, by keyboard or by hand.

import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type RefObject } from 'react';
import { Avatar } from '../components/Avatar';
import { loadEmoji } from '../components/EmojiPicker';
import { completing, score, type Pick } from '../model/compose';
import { getApp } from '../model/state';
import { useEngine } from '../model/use';
import { say } from '../words';

interface Choice { key: string; label: string; hint: string; insert: string; user?: string; emoji?: string }
const CHOICES_MAX = 7;

export function useCompletion(field: RefObject<HTMLTextAreaElement | null>, text: string, setText: (text: string) => void, picks: RefObject<Pick[]>, room: string) {
  const engine = useEngine();
  const id = useId();
  const [caret, setCaret] = useState(0);
  const [at, setAt] = useState(0);
  const [closed, setClosed] = useState<string | null>(null);
  const [emoji, setEmoji] = useState<readonly (readonly [string, string, string, number])[] | null>(null);
  const [found, setFound] = useState(0);
  const word = useMemo(() => completing(text, Math.min(caret, text.length)), [text, caret]);
  const key = word ? `${word.kind}${word.from}` : null;

  /** Where the caret goes with the next text: at once, so that what is typed meanwhile follows it. */
  const due = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (due.current === null) return;
    field.current?.focus();
    field.current?.setSelectionRange(due.current, due.current);
    setCaret(due.current);
    due.current = null;
  }, [field, text]);

  useEffect(() => { setAt(0); }, [word?.query, key]);
  useEffect(() => {
    if (word?.kind === ':' && !emoji) void loadEmoji().then(setEmoji);
    if (word?.kind !== '@' || !word.query) return;
    const timer = setTimeout(() => void engine.people.search(word.query).then(() => setFound((n) => n + 1)).catch(() => undefined), 150);
    return () => clearTimeout(timer);
  }, [engine, word?.kind, word?.query, emoji]);

  const choices = useMemo<Choice[]>(() => {
    if (!word) return [];
    return word.kind === '@' ? people(word.query, room) : (emoji ?? []).flatMap(([char, label, tags]) => {
      const rank = Math.max(score(word.query, label), score(word.query, ...tags.split(' ')) - 1);
      return rank > 2 ? [{ key: char, label, hint: '', insert: char, emoji: char, rank }] : [];
    }).sort((a, b) => b.rank - a.rank).slice(0, CHOICES_MAX);
    // `found` is a reason to look again: people came.
  }, [word, emoji, room, found]);
  const open = choices.length > 0 && key !== closed;

  const take = useCallback((choice: Choice | undefined) => {
    if (!choice || !word) return;
    const rest = text.slice(Math.min(caret, text.length));
    const before = text.slice(0, word.from) + choice.insert + (rest.startsWith(' ') ? '' : ' ');
    if (choice.user) picks.current.push({ label: choice.label, id: choice.user });
    due.current = before.length;
    setText(before + rest);
  }, [word, text, caret, picks, setText, field]);

  const look = useCallback(() => setCaret(field.current?.selectionStart ?? 0), [field]);
  const onKey = (event: React.KeyboardEvent): boolean => {
    if (!open) return false;
    const act: Record<string, () => void> = {
      ArrowDown: () => setAt((at + 1) % choices.length), ArrowUp: () => setAt((at - 1 + choices.length) % choices.length),
      Enter: () => take(choices[at]), Tab: () => take(choices[at]), Escape: () => setClosed(key),
    };
    if (!act[event.key] || event.shiftKey) return false;
    event.preventDefault();
    event.stopPropagation();
    event.nativeEvent.stopImmediatePropagation();
    act[event.key]!();
    return true;
  };
  return { id, open, choices, at, setAt, take, look, onKey, due };
}

function people(query: string, room: string): Choice[] {
  const { people, members, me } = getApp();
  const inside = new Set((members[room] ?? []).map((member) => member.user));
  return Object.values(people).filter((person) => person.id !== me).flatMap((person) => {
    const rank = query ? score(query, person.display, person.name) : inside.has(person.id) ? 1 : 0;
    return rank > 0 ? [{ person, rank: rank + (inside.has(person.id) ? 10 : 0) }] : [];
  }).sort((a, b) => b.rank - a.rank || a.person.display.localeCompare(b.person.display)).slice(0, CHOICES_MAX).map(({ person }) => {
    const label = person.display || person.name;
    return { key: person.id, label, hint: `\u2068@${person.name}\u2069${inside.has(person.id) ? '' : ` · ${say('composer.outside')}`}`, insert: `@${label}`, user: person.id };
  });
}

export function Completion({ completion }: { completion: ReturnType<typeof useCompletion> }) {
  const { id, open, choices, at, setAt, take } = completion;
  if (!open) return null;
  return (
    <ul id={id} role="listbox" aria-label={say('composer.suggestions')} className="card absolute inset-x-0 bottom-full z-20 mb-2 max-w-sm p-1.5">
      {choices.map((choice, i) => (
        <li key={choice.key} id={`${id}-${i}`} role="option" aria-selected={i === at} onPointerMove={() => setAt(i)} onPointerDown={(event) => { event.preventDefault(); take(choice); }} className={`menu-item cursor-pointer ${i === at ? 'bg-accent-soft text-accent-text' : ''}`}>
          {choice.user ? <Avatar id={choice.user} size={24} dot ring="ring-raised" /> : <span className="text-xl">{choice.emoji}</span>}
          <span className="truncate font-medium">{choice.label}</span><span className="truncate text-ink-3">{choice.hint}</span>
        </li>
      ))}
    </ul>
  );
}
