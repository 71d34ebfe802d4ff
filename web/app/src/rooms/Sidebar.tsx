// The room list: channels of the workspace, then conversations; what is unread stands out, drafts are marked.

import type { Room } from '@hubbub/sdk';
import { memo, useMemo, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { Avatar, Tile } from '../components/Avatar';
import { Icon, Logo } from '../components/Icon';
import { listed, markOf, roomName } from '../model/names';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import type { Open } from './dialogs';
import { countOf, say } from '../words';

export function Sidebar({ onOpen }: { onOpen: (open: Open) => void }) {
  const engine = useEngine();
  const rooms = useApp((state) => state.rooms);
  const people = useApp((state) => state.people);
  const workspace = useApp((state) => state.workspace);
  const me = useApp((state) => state.me);
  const greeted = useApp((state) => state.greeted);
  const [location] = useLocation();
  const { channels, talks } = useMemo(() => listed(rooms, workspace, people, me), [rooms, workspace, people, me]);
  const unread = [...channels, ...talks].filter((room) => markOf(room).unread > 0);
  const here = /^\/r\/([^/]+)/.exec(location)?.[1];
  const empty = channels.length + talks.length === 0;
  const title = workspace && rooms[workspace] ? roomName(rooms[workspace], people) : 'Hubbub';
  const readAll = () => { for (const { state, log } of unread) engine.client.read(state.room, Math.max(state.head, log.head), Math.max(state.ordinal, log.ordinal)); };
  return (
    <nav aria-label={say('rooms.title')} className="flex min-w-0 flex-1 flex-col border-line bg-panel md:w-72 md:flex-none md:border-e">
      <header className="flex h-14 shrink-0 items-center gap-1 pe-2 ps-4">
        <h1 dir="auto" className="min-w-0 flex-1 truncate text-[1.0625rem] font-semibold tracking-tight">{title}</h1>
        {unread.length > 0 && <button type="button" className="icon-btn" aria-label={say('rooms.readAll')} title={say('rooms.readAll')} onClick={readAll}><Icon name="checks" /></button>}
        <button type="button" className="icon-btn" aria-label={say('people.new')} title={say('people.new')} onClick={() => onOpen({ what: 'people' })}><Icon name="pen" /></button>
      </header>
      <button type="button" onClick={() => onOpen({ what: 'switch' })} className="mx-3 mb-2 flex min-h-9 items-center gap-2 rounded-lg border border-line bg-bg px-3 text-sm text-ink-3 hover:border-ink-3 pointer-coarse:min-h-11">
        <Icon name="search" size={16} />{say('rooms.jump')}<kbd dir="ltr" className="ms-auto hidden font-sans text-xs md:block">{/Mac/.test(navigator.platform) ? '⌘' : say('key.ctrl')} K</kbd>
      </button>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-4">
        {empty && !greeted ? <Skeleton /> : (
          <>
            {(workspace || channels.length > 0) && (
              <Section title={say('channels')} actions={workspace && (
                <>
                  <button type="button" className="icon-btn size-8 pointer-coarse:size-11" aria-label={say('rooms.browse')} title={say('rooms.browse')} onClick={() => onOpen({ what: 'browse', workspace })}><Icon name="compass" size={18} /></button>
                  <button type="button" className="icon-btn size-8 pointer-coarse:size-11" aria-label={say('channel.new')} title={say('channel.new')} onClick={() => onOpen({ what: 'channel', workspace })}><Icon name="plus" size={18} /></button>
                </>
              )}>
                {channels.map((room) => <Line key={room.state.room} room={room} here={room.state.room === here} />)}
                {channels.length === 0 && workspace && <Hint onClick={() => onOpen({ what: 'browse', workspace })}>{say('rooms.findChannel')}</Hint>}
              </Section>
            )}
            <Section title={say('rooms.messages')} actions={<button type="button" className="icon-btn size-8 pointer-coarse:size-11" aria-label={say('rooms.newDirect')} title={say('rooms.newDirect')} onClick={() => onOpen({ what: 'people' })}><Icon name="plus" size={18} /></button>}>
              {talks.map((room) => <Line key={room.state.room} room={room} here={room.state.room === here} />)}
              {talks.length === 0 && <Hint onClick={() => onOpen({ what: 'people' })}>{say('rooms.write')}</Hint>}
            </Section>
          </>
        )}
      </div>
    </nav>
  );
}

function Section({ title, actions, children }: { title: string; actions: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="mt-2">
      <header className="flex min-h-8 items-center ps-2">
        <h2 className="flex-1 text-xs font-semibold tracking-wide text-ink-3">{title}</h2>
        <div className="flex">{actions}</div>
      </header>
      <ul>{children}</ul>
    </section>
  );
}

const Line = memo(function Line({ room, here }: { room: Room; here: boolean }) {
  const { state } = room;
  const id = state.room;
  const name = useApp((app) => roomName(room, app.people, app.members[id], app.me));
  const draft = useApp((app) => !here && (app.drafts[id] ?? state.draft ?? '').trim() !== '');
  const { unread, mentions } = markOf(room);
  const loud = state.kind === 'direct' ? unread : mentions;
  const fresh = unread > 0;
  return (
    <li>
      <Link href={`/r/${id}`} data-room={id} aria-current={here ? 'page' : undefined} data-draft={draft || undefined} className={`flex min-h-9 items-center gap-2.5 rounded-lg px-2 transition-colors pointer-coarse:min-h-11 ${here ? 'bg-accent-soft text-accent-text' : 'hover:bg-hover'} ${fresh ? 'font-semibold text-ink' : here ? 'font-medium' : 'text-ink-2'}`}>
        <span className="flex w-6 shrink-0 items-center justify-center"><Face room={room} name={name} /></span>
        <span dir="auto" className="min-w-0 flex-1 truncate">{name}</span>
        {draft && <><Icon name="pen" size={14} className="text-ink-3" /><span className="sr-only">{say('rooms.draft')}</span></>}
        {loud > 0 ? <b data-mark="mention" className="min-w-5 rounded-full bg-loud px-1.5 text-center text-xs leading-5 font-semibold text-loud-ink tabular-nums">{countOf(loud, 99)}</b>
          : fresh && <b data-mark="unread" className="min-w-5 rounded-full bg-pressed px-1.5 text-center text-xs leading-5 font-semibold text-ink-2 tabular-nums">{countOf(unread, 99)}</b>}
        {fresh && <span className="sr-only">{say(loud > 0 && state.kind !== 'direct' ? 'rooms.mentions' : 'rooms.unread')}</span>}
      </Link>
    </li>
  );
});

function Face({ room, name }: { room: Room; name: string }) {
  const { kind, peer, settings, room: id } = room.state;
  if (kind === 'direct' && peer) return <Avatar id={peer} size={24} dot ring="ring-panel" />;
  if (kind === 'group') return <Tile id={id} name={name} size={24} round />;
  return <Icon name={settings.public ? 'hash' : 'lock'} size={18} className="opacity-70" />;
}

function Hint({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return <li><button type="button" onClick={onClick} className="menu-item text-ink-3">{children}</button></li>;
}

function Skeleton() {
  return (
    <div role="status" aria-label={say('loading')} className="space-y-2 p-2">
      {[70, 52, 84, 60, 46].map((width) => <div key={width} className="pulse flex items-center gap-2.5 py-1"><i className="size-6 rounded-md bg-pressed" /><i className="h-3 rounded bg-pressed" style={{ width: `${width}%` }} /></div>)}
      <span className="sr-only"><Logo /></span>
    </div>
  );
}
