// Ctrl or ⌘ K: a few letters of a room or a person, Enter goes there.

import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { Avatar, Tile } from '../components/Avatar';
import { Dialog } from '../components/Dialog';
import { Icon } from '../components/Icon';
import { score } from '../model/compose';
import { markOf, roomName } from '../model/names';
import { getApp, toast } from '../model/state';
import { useEngine } from '../model/use';
import { numberOf, say } from '../words';
import { sentence } from '../words/errors';

interface Found { key: string; name: string; room?: string; user?: string; icon: 'hash' | 'lock' | 'tile' | 'person'; unread: number; rank: number }
const SHOWN_MAX = 12;

export function Switcher({ onClose }: { onClose: () => void }) {
  const engine = useEngine();
  const [, go] = useLocation();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const found = useMemo(() => find(query.trim().toLowerCase()), [query]);
  const open = async (target: Found | undefined) => {
    if (!target) return;
    try {
      const room = target.room ?? await engine.client.create('direct', {}, [target.user!]);
      onClose();
      go(`/r/${room}`);
    } catch (failed) {
      toast(sentence(failed));
    }
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === 'ArrowDown') { event.preventDefault(); setAt(Math.min(at + 1, found.length - 1)); }
    if (event.key === 'ArrowUp') { event.preventDefault(); setAt(Math.max(at - 1, 0)); }
    if (event.key === 'Enter' && !event.nativeEvent.isComposing) void open(found[at]);
  };
  return (
    <Dialog title={say('switch.title')} onClose={onClose}>
      <input data-first className="field" role="combobox" aria-expanded aria-controls="switcher" aria-activedescendant={found[at] ? `switcher-${at}` : undefined} dir="auto" aria-label={say('switch.field')} placeholder={say('switch.field')} value={query} onChange={(event) => { setQuery(event.target.value); setAt(0); }} onKeyDown={onKey} />
      <ul id="switcher" role="listbox" aria-label={say('switch.list')} className="mt-2 min-h-40">
        {found.map((each, i) => (
          <li key={each.key} id={`switcher-${i}`} role="option" aria-selected={i === at} onPointerMove={() => setAt(i)} onClick={() => void open(each)} className={`menu-item cursor-pointer ${i === at ? 'bg-accent-soft text-accent-text' : ''}`}>
            {each.icon === 'person' ? <Avatar id={each.user!} size={24} /> : each.icon === 'tile' ? <Tile id={each.room!} name={each.name} size={24} round /> : <span className="flex w-6 justify-center"><Icon name={each.icon} size={18} /></span>}
            <span dir="auto" className="min-w-0 flex-1 truncate">{each.name}</span>
            {each.unread > 0 && <span className="text-xs font-semibold">{numberOf(each.unread)}</span>}
          </li>
        ))}
        {found.length === 0 && <li role="presentation" className="p-3 text-sm text-ink-3">{say('switch.none')}</li>}
      </ul>
    </Dialog>
  );
}

function find(query: string): Found[] {
  const { rooms, people, members, me } = getApp();
  const found: Found[] = [];
  const talkedTo = new Set<string>();
  for (const room of Object.values(rooms)) {
    const { kind, peer, settings, room: id, at } = room.state;
    if (kind === 'workspace') continue;
    if (peer) talkedTo.add(peer);
    const name = roomName(room, people, members[id], me);
    const rank = query ? score(query, name) : 1;
    if (rank > 0) found.push({ key: id, name, room: id, ...(peer ? { user: peer } : {}), icon: kind === 'direct' ? 'person' : kind === 'group' ? 'tile' : settings.public ? 'hash' : 'lock', unread: markOf(room).unread, rank: rank * 1e15 + at });
  }
  for (const person of query ? Object.values(people) : []) {
    const rank = talkedTo.has(person.id) || person.id === me ? 0 : score(query, person.display, person.name);
    if (rank > 0) found.push({ key: person.id, name: person.display || person.name, user: person.id, icon: 'person', unread: 0, rank: rank * 1e15 });
  }
  return found.sort((a, b) => Number(b.unread > 0 && !query) - Number(a.unread > 0 && !query) || b.rank - a.rank).slice(0, SHOWN_MAX);
}
