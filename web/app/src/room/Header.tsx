// A room's name and topic, who is here, and what can be opened beside it.

import { useRef, useState } from 'react';
import { Avatar, Tile } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { Popover } from '../components/Popover';
import { roomName } from '../model/names';
import { useApp } from '../model/state';
import { agoOf } from '../model/times';
import { useHere } from '../model/use';
import type { Open } from '../rooms/dialogs';
import type { View } from './useRoom';

export type PanelName = 'members' | 'pins';

interface HeaderProps { view: View; panel: PanelName | null; onPanel: (panel: PanelName | null) => void; onBack: () => void; onDate: (at: number) => void; onOpen: (open: Open) => void }

export function Header({ view, panel, onPanel, onBack, onDate, onOpen }: HeaderProps) {
  const { room } = view;
  const { kind, settings, peer, room: id } = room.state;
  const name = useApp((state) => roomName(room, state.people, state.members[id], state.me));
  const [date, setDate] = useState<DOMRect | null>(null);
  const toggle = (which: PanelName) => onPanel(panel === which ? null : which);
  return (
    <header className="flex h-14 shrink-0 items-center gap-1 border-b border-line pe-2 ps-2 md:ps-5">
      <button type="button" className="icon-btn md:hidden" aria-label="Back to the rooms" onClick={onBack}><Icon name="back" /></button>
      <button type="button" className="flex min-h-11 min-w-0 items-center gap-2.5 rounded-lg px-1.5 text-start hover:bg-hover" title="About this room" onClick={() => onOpen({ what: 'room', room: id })}>
        {kind === 'direct' && peer ? <Avatar id={peer} size={32} dot /> : kind === 'group' ? <Tile id={id} name={name} size={32} round /> : <Icon name={settings.public ? 'hash' : 'lock'} className="text-ink-3" />}
        <span className="min-w-0">
          <h1 className="truncate text-base leading-tight font-semibold tracking-tight"><bdi>{name}</bdi></h1>
          <span className="block truncate text-xs text-ink-2"><bdi><Under view={view} /></bdi></span>
        </span>
      </button>
      <div className="ms-auto flex">
        <button type="button" className="icon-btn" aria-label="Go to a date" title="Go to a date" onClick={(event) => setDate(event.currentTarget.getBoundingClientRect())}><Icon name="calendar" /></button>
        <button type="button" className="icon-btn" aria-label="Pinned messages" title="Pinned messages" aria-pressed={panel === 'pins'} onClick={() => toggle('pins')}><Icon name="pin" /></button>
        <button type="button" className="icon-btn w-auto gap-1 px-2 pointer-coarse:w-auto" aria-label={`Members, ${room.state.members}`} title="Members" aria-pressed={panel === 'members'} onClick={() => toggle('members')}>
          <Icon name="people" /><span className="text-sm font-medium tabular-nums">{room.state.members}</span>
        </button>
      </div>
      {date && <DatePicker anchor={date} onClose={() => setDate(null)} onDate={onDate} />}
    </header>
  );
}

function Under({ view }: { view: View }) {
  const { kind, settings, peer, room, members } = view.room.state;
  const online = useApp((state) => state.online[room]);
  const here = useHere(kind === 'direct' ? peer : null);
  if (kind === 'direct') {
    if (!here || here.status === 'offline') return here?.last_seen ? `last here ${agoOf(here.last_seen)}` : 'offline';
    return here.status === 'busy' ? 'do not disturb' : here.status;
  }
  return settings.topic || (online ? `${online} of ${members} here now` : `${members} ${members === 1 ? 'member' : 'members'}`);
}

function DatePicker({ anchor, onClose, onDate }: { anchor: DOMRect; onClose: () => void; onDate: (at: number) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const go = () => {
    const value = input.current?.value;
    if (!value) return;
    onClose();
    onDate(new Date(`${value}T00:00`).getTime());
  };
  return (
    <Popover anchor={anchor} onClose={onClose} label="Go to a date">
      <form className="flex items-end gap-2 p-1.5" onSubmit={(event) => { event.preventDefault(); go(); }}>
        <label><span className="block text-xs font-medium text-ink-2">Date</span><input ref={input} data-first type="date" required className="field mt-1 min-h-10 text-sm" max={new Date().toISOString().slice(0, 10)} /></label>
        <button type="submit" className="btn btn-accent">Go</button>
      </form>
    </Popover>
  );
}
