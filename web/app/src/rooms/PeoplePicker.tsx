// Finding people by name and choosing some of them. By keyboard: type, arrows, Enter, Backspace takes the last one back.

import type { Profile } from '@hubbub/sdk';
import { useEffect, useId, useState } from 'react';
import { Avatar } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { score } from '../model/compose';
import { getApp, useApp } from '../model/state';
import { useEngine } from '../model/use';
import { say } from '../words';

const SHOWN_MAX = 30;

export function PeoplePicker({ chosen, onChange, without = [] }: { chosen: Profile[]; onChange: (people: Profile[]) => void; without?: readonly string[] }) {
  const engine = useEngine();
  const me = useApp((state) => state.me);
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<Profile[] | null>(null);
  const [at, setAt] = useState(0);
  const id = useId();
  useEffect(() => {
    let current = true;
    const words = query.trim().toLowerCase();
    const known = () => Object.values(getApp().people).map((person) => ({ person, rank: words ? score(words, person.display, person.name) : 1 }))
      .filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank || a.person.display.localeCompare(b.person.display)).map(({ person }) => person).slice(0, SHOWN_MAX);
    setFound(known());
    if (!words) return;
    const timer = setTimeout(() => { void engine.people.search(words).then(() => { if (current) setFound(known()); }).catch(() => undefined); }, 120);
    return () => { current = false; clearTimeout(timer); };
  }, [engine, query]);
  const shown = (found ?? []).filter((person) => person.id !== me && !without.includes(person.id) && !chosen.some((each) => each.id === person.id));
  const pick = (person: Profile | undefined) => {
    if (!person) return;
    onChange([...chosen, person]);
    setQuery('');
    setAt(0);
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') { event.preventDefault(); setAt(Math.min(at + 1, shown.length - 1)); }
    if (event.key === 'ArrowUp') { event.preventDefault(); setAt(Math.max(at - 1, 0)); }
    if (event.key === 'Enter' && (query.trim() !== '' || chosen.length === 0)) { event.preventDefault(); pick(shown[at]); }
    if (event.key === 'Backspace' && query === '') onChange(chosen.slice(0, -1));
  };
  return (
    <div>
      <div className="field flex min-h-11 flex-wrap items-center gap-1.5 py-1.5 focus-within:border-accent focus-within:outline-2 focus-within:outline-accent/30">
        {chosen.map((person) => (
          <button key={person.id} type="button" aria-label={say('people.takeOff', { name: person.display || person.name })} onClick={() => onChange(chosen.filter((each) => each.id !== person.id))} className="flex items-center gap-1 rounded-md bg-accent-soft py-0.5 pe-1 ps-2 text-sm font-medium text-accent-text">
            <bdi>{person.display || person.name}</bdi><Icon name="close" size={14} />
          </button>
        ))}
        <input data-first dir="auto" aria-label={say('people.find')} role="combobox" aria-expanded aria-controls={id} aria-activedescendant={shown[at] ? `${id}-${at}` : undefined} placeholder={chosen.length ? '' : say('people.type')} value={query} onChange={(event) => { setQuery(event.target.value); setAt(0); }} onKeyDown={onKey} className="min-w-24 flex-1 bg-transparent py-1 outline-none" />
      </div>
      <ul id={id} role="listbox" aria-label={say('people.list')} className="mt-2 h-64 overflow-y-auto">
        {shown.map((person, i) => (
          <li key={person.id} id={`${id}-${i}`} role="option" aria-selected={i === at} onClick={() => pick(person)} onPointerMove={() => setAt(i)} className={`menu-item cursor-pointer ${i === at ? 'bg-hover' : ''}`}>
            <Avatar id={person.id} size={32} />
            <span className="min-w-0 truncate"><b className="font-medium"><bdi>{person.display || person.name}</bdi></b> <bdi className="text-ink-3">@{person.name}</bdi></span>
          </li>
        ))}
        {found && shown.length === 0 && <li role="presentation" className="p-3 text-sm text-ink-3">{query ? say('people.unmatched', { query }) : say('people.typeHint')}</li>}
      </ul>
    </div>
  );
}
