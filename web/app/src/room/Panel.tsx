// The side panel: members, or what is pinned. Over the room on a narrow page.

import type { Role } from '@hubbub/sdk';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { Avatar } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { Popover } from '../components/Popover';
import { plain } from '../markdown/parse';
import { personName } from '../model/names';
import { timeOf } from '../model/rows';
import { toast, useApp } from '../model/state';
import { briefOf } from '../model/times';
import { useEngine } from '../model/use';
import type { Open } from '../rooms/dialogs';
import { useActions } from './actions';
import type { PanelName } from './Header';
import { usePins } from './usePins';
import type { View } from './useRoom';
import { say } from '../words';
import { sentence } from '../words/errors';

export default function Panel({ view, panel, onClose, onOpen }: { view: View; panel: PanelName; onClose: () => void; onOpen: (open: Open) => void }) {
  return (
    <aside aria-label={say(panel === 'members' ? 'members' : 'pins.title')} className="absolute inset-0 z-20 flex flex-col border-s border-line bg-panel lg:static lg:w-72 lg:shrink-0">
      <header className="flex h-14 shrink-0 items-center border-b border-line pe-2 ps-4">
        <h2 className="flex-1 font-semibold">{say(panel === 'members' ? 'members' : 'pins.title')}</h2>
        {panel === 'members' && view.room.state.kind !== 'direct' && <button type="button" className="icon-btn" aria-label={say('invite.people')} onClick={() => onOpen({ what: 'invite', room: view.room.state.room })}><Icon name="plus" /></button>}
        <button type="button" className="icon-btn" aria-label={say('panel.close')} onClick={onClose}><Icon name="close" /></button>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto p-2">{panel === 'members' ? <Members view={view} /> : <Pins view={view} />}</div>
    </aside>
  );
}

const RANK: Record<Role, number> = { owner: 0, moderator: 1, member: 2, guest: 3 };
const OFF = new Set(['offline', 'invisible']);

function Members({ view }: { view: View }) {
  const room = view.room.state.room;
  const members = useApp((state) => state.members[room]);
  const here = useApp((state) => state.here);
  const people = useApp((state) => state.people);
  const [menu, setMenu] = useState<{ user: string; role: Role; anchor: DOMRect } | null>(null);
  if (!members) return <div role="status" aria-label={say('loading')} className="pulse m-2 h-40 rounded-lg bg-pressed" />;
  const away = (user: string) => (OFF.has(here[user]?.status ?? 'offline') ? 1 : 0);
  const sorted = members.toSorted((a, b) => away(a.user) - away(b.user) || RANK[a.role] - RANK[b.role] || personName(people, a.user).localeCompare(personName(people, b.user)));
  return (
    <>
      <ul>
        {sorted.map(({ user, role }) => (
          <li key={user} className="[contain-intrinsic-size:auto_2.75rem] [content-visibility:auto]">
            <button type="button" className={`menu-item min-h-11 ${away(user) ? 'text-ink-2' : ''}`} onClick={(click) => setMenu({ user, role, anchor: click.currentTarget.getBoundingClientRect() })}>
              <Avatar id={user} size={32} dot ring="ring-panel" />
              <span className="min-w-0 flex-1 truncate font-medium"><PersonName id={user} /></span>
              {(role === 'owner' || role === 'moderator') && <span className="rounded border border-line px-1.5 text-xs text-ink-2">{say(`role.${role}`)}</span>}
            </button>
          </li>
        ))}
      </ul>
      {menu && <MemberMenu view={view} {...menu} onClose={() => setMenu(null)} />}
    </>
  );
}

function MemberMenu({ view, user, role, anchor, onClose }: { view: View; user: string; role: Role; anchor: DOMRect; onClose: () => void }) {
  const engine = useEngine();
  const [, go] = useLocation();
  const me = useApp((state) => state.me);
  const own = view.room.state;
  const may = own.kind !== 'direct' && user !== me && (own.role === 'owner' || (own.role === 'moderator' && RANK[role] > RANK.moderator));
  const run = (act: () => Promise<unknown>) => () => { onClose(); void act().catch((failed: unknown) => toast(sentence(failed))); };
  const { client } = engine;
  return (
    <Popover anchor={anchor} onClose={onClose} label={say('member.title')} className="w-56">
      {user !== me && <button type="button" className="menu-item" onClick={run(async () => go(`/r/${await client.create('direct', {}, [user])}`))}><Icon name="chat" size={18} />{say('member.write')}</button>}
      {may && own.role === 'owner' && <button type="button" className="menu-item" onClick={run(() => client.now(own.room, { role: { user, role: role === 'moderator' ? 'member' : 'moderator' } }))}><Icon name="person" size={18} />{say(role === 'moderator' ? 'member.demote' : 'member.promote')}</button>}
      {may && <button type="button" className="menu-item text-danger" onClick={run(() => client.now(own.room, { kick: { user } }))}><Icon name="out" size={18} />{say('member.kick')}</button>}
      {user === me && <p className="p-2 text-sm text-ink-2">{say('member.self')}</p>}
    </Popover>
  );
}

function Pins({ view }: { view: View }) {
  const actions = useActions();
  const people = useApp((state) => state.people);
  const connected = useApp((state) => state.connection === 'open');
  const { pinned, state } = usePins(view.room);
  const empty = <div className="px-6 py-10 text-center"><span className="mx-auto flex size-12 items-center justify-center rounded-2xl bg-accent-soft text-accent-text"><Icon name="pin" size={22} /></span><p className="mt-3 font-semibold">{say('pins.empty')}</p><p className="mt-1 text-sm text-ink-2">{say('pins.emptyHint')}</p></div>;
  return (
    <>
      {state === 'loading' && connected && pinned.length === 0 && <div role="status" aria-label={say('loading')} className="pulse m-2 h-24 rounded-lg bg-pressed" />}
      {state !== 'whole' && !connected && <p role="status" className="p-2.5 text-sm text-ink-2">{say('pins.offline')}</p>}
      {state === 'whole' && pinned.length === 0 && empty}
      <ul className="space-y-1">
        {pinned.map(({ event, text }) => (
          <li key={event.seq}>
            <button type="button" data-pin={event.seq} className="w-full rounded-lg p-2.5 text-start text-sm hover:bg-hover" onClick={() => actions.jump(event.seq)}>
              <span className="flex items-baseline gap-2"><b className="truncate font-semibold"><PersonName id={event.user} /></b><span className="text-xs text-ink-3">{briefOf(timeOf(event))}</span></span>
              <span dir="auto" className="line-clamp-3 text-start">{plain(text, (id) => personName(people, id))}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
