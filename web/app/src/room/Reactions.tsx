// Reactions: one click joins or takes back, hovering says who.

import type { Event, Reaction } from '@hubbub/sdk';
import { useEffect, useState } from 'react';
import { Icon } from '../components/Icon';
import { personName } from '../model/names';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import { useActions } from './actions';
import { listOf, numberOf, say } from '../words';

const NAMED_MAX = 12;
/** More than that are shown when asked for. */
const SHOWN_MAX = 24;

export function Reactions({ event, reactions, me }: { event: Event; reactions: Reaction[]; me: string }) {
  const actions = useActions();
  const [all, setAll] = useState(false);
  const hidden = all ? 0 : Math.max(0, reactions.length - SHOWN_MAX);
  return (
    <div className="mt-1 flex flex-wrap gap-1 pointer-coarse:gap-2">
      {(hidden > 0 ? reactions.slice(0, SHOWN_MAX) : reactions).map(({ emoji, users }) => {
        const own = users.includes(me);
        return <Chip key={emoji} emoji={emoji} users={users} me={me} own={own} onClick={() => actions.react(event, emoji, !own)} />;
      })}
      {hidden > 0 && <button type="button" aria-expanded={false} onClick={() => setAll(true)} className="relative flex h-7 items-center rounded-full border border-line px-2.5 text-xs font-semibold text-ink-2 hover:border-ink-3 hover:text-ink pointer-coarse:h-9 pointer-coarse:px-3 pointer-coarse:after:absolute pointer-coarse:after:-inset-1">{say('more', { count: hidden })}</button>}
      <button type="button" aria-label={say('react')} className="flex h-7 items-center rounded-full border border-line px-2 relative text-ink-3 hover:border-ink-3 hover:text-ink pointer-coarse:h-9 pointer-coarse:px-3 pointer-coarse:after:absolute pointer-coarse:after:-inset-1" onClick={(click) => actions.show('emoji', event, click.currentTarget.getBoundingClientRect())}><Icon name="smile" size={16} /></button>
    </div>
  );
}

function Chip({ emoji, users, me, own, onClick }: { emoji: string; users: string[]; me: string; own: boolean; onClick: () => void }) {
  const engine = useEngine();
  const key = users.slice(0, NAMED_MAX).join();
  useEffect(() => { engine.people.want(key.split(',')); }, [engine, key]);
  const who = useApp((state) => {
    const names = users.slice(0, NAMED_MAX).map((user) => (user === me ? say('you') : personName(state.people, user)));
    return listOf(users.length > NAMED_MAX ? [...names, say('more', { count: users.length - NAMED_MAX })] : names);
  });
  return (
    <button type="button" aria-pressed={own} title={who} data-reaction={emoji} onClick={onClick} className={`flex h-7 items-center gap-1.5 rounded-full border px-2 text-sm pointer-coarse:after:absolute pointer-coarse:after:-inset-1 pointer-coarse:h-9 pointer-coarse:px-3 relative ${own ? 'border-accent bg-accent-soft text-accent-text' : 'border-line bg-raised text-ink-2 hover:border-ink-3'}`}>
      <span className="text-base leading-none">{emoji}</span><span className="text-xs font-semibold tabular-nums">{numberOf(users.length)}</span><span className="sr-only">: {who}</span>
    </button>
  );
}
