// Who is in the room. Of thousands only those in sight are in the page, and only their presence is watched.

import type { MemberEntry, Role } from '@hubbub/sdk';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { Avatar } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { Popover } from '../components/Popover';
import { isAway, listed, RANK } from '../model/members';
import { toast, useApp } from '../model/state';
import { useEngine } from '../model/use';
import type { View } from './useRoom';
import { say, spoken } from '../words';
import { sentence } from '../words/errors';

const ROW_PX = 44;

export function Members({ view }: { view: View }) {
  const room = view.room.state.room;
  const members = useApp((state) => state.members[room]);
  if (!members) return <div role="status" aria-label={say('loading')} className="pulse m-2 h-40 rounded-lg bg-pressed" />;
  return <List view={view} members={members} />;
}

function List({ view, members }: { view: View; members: readonly MemberEntry[] }) {
  const here = useApp((state) => state.here);
  const people = useApp((state) => state.people);
  const [menu, setMenu] = useState<{ user: string; role: Role; anchor: DOMRect } | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const sorted = useMemo(() => listed(members, here, people, new Intl.Collator(spoken().locale, { numeric: true })), [members, here, people]);
  const rows = useVirtualizer({ count: sorted.length, getScrollElement: () => list.current?.parentElement ?? null, estimateSize: () => ROW_PX, getItemKey: (index) => sorted[index]?.user ?? index, overscan: 8, useFlushSync: false });
  return (
    <>
      <ul ref={list} className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const member = sorted[item.index];
          if (!member) return null;
          const { user, role } = member;
          return (
            <li key={user} aria-setsize={sorted.length} aria-posinset={item.index + 1} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${item.start}px)` }}>
              <button type="button" className={`menu-item h-11 ${isAway(here, user) ? 'text-ink-2' : ''}`} onClick={(click) => setMenu({ user, role, anchor: click.currentTarget.getBoundingClientRect() })}>
                <Avatar id={user} size={32} dot ring="ring-panel" />
                <span className="min-w-0 flex-1 truncate font-medium"><PersonName id={user} /></span>
                {(role === 'owner' || role === 'moderator') && <span className="rounded border border-line px-1.5 text-xs text-ink-2">{say(`role.${role}`)}</span>}
              </button>
            </li>
          );
        })}
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
