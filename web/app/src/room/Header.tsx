// A room's name and topic, who is here, and what can be opened beside it.

import { useRef, useState } from 'react';
import { Avatar, statusOf, Tile } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { Popover } from '../components/Popover';
import { roomName } from '../model/names';
import { useApp } from '../model/state';
import { agoOf } from '../model/times';
import { useHere } from '../model/use';
import type { Open } from '../rooms/dialogs';
import type { View } from './useRoom';
import { numberOf, say } from '../words';

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
      <button type="button" className="icon-btn md:hidden" aria-label={say('header.back')} onClick={onBack}><Icon name="back" /></button>
      <button type="button" className="flex min-h-11 min-w-0 items-center gap-2.5 rounded-lg px-1.5 text-start hover:bg-hover" title={say('header.about')} onClick={() => onOpen({ what: 'room', room: id })}>
        {kind === 'direct' && peer ? <Avatar id={peer} size={32} dot /> : kind === 'group' ? <Tile id={id} name={name} size={32} round /> : <Icon name={settings.public ? 'hash' : 'lock'} className="text-ink-3" />}
        <span className="min-w-0">
          <h1 dir="auto" className="truncate text-base leading-tight font-semibold tracking-tight">{name}</h1>
          <span dir="auto" className="block truncate text-xs text-ink-2"><Under view={view} /></span>
        </span>
      </button>
      <div className="ms-auto flex">
        <button type="button" className="icon-btn" aria-label={say('date.title')} title={say('date.title')} onClick={(event) => setDate(event.currentTarget.getBoundingClientRect())}><Icon name="calendar" /></button>
        <button type="button" className="icon-btn" aria-label={say('header.pins')} title={say('header.pins')} aria-pressed={panel === 'pins'} onClick={() => toggle('pins')}><Icon name="pin" /></button>
        <button type="button" className="icon-btn w-auto gap-1 px-2 pointer-coarse:w-auto" aria-label={say('header.membersLabel', { members: room.state.members })} title={say('members')} aria-pressed={panel === 'members'} onClick={() => toggle('members')}>
          <Icon name="people" /><span className="text-sm font-medium tabular-nums">{numberOf(room.state.members)}</span>
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
    if (!here || here.status === 'offline') return here?.last_seen ? say('header.last', { when: agoOf(here.last_seen) }) : say('status.offline');
    return statusOf(here.status);
  }
  return settings.topic || (online ? say('header.here', { online, members }) : say('header.members', { count: members }));
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
    <Popover anchor={anchor} onClose={onClose} label={say('date.title')}>
      <form className="flex items-end gap-2 p-1.5" onSubmit={(event) => { event.preventDefault(); go(); }}>
        <label><span className="block text-xs font-medium text-ink-2">{say('date.field')}</span><input ref={input} data-first type="date" required className="field mt-1 min-h-10 text-sm" max={new Date().toISOString().slice(0, 10)} /></label>
        <button type="submit" className="btn btn-accent">{say('date.go')}</button>
      </form>
    </Popover>
  );
}
