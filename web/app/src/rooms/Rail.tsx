// The workspaces, side by side; a new one; and oneself.

import { useState } from 'react';
import { Avatar, Tile } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { listed, markOf, roomName, workspaces } from '../model/names';
import { setApp, useApp } from '../model/state';
import type { Open } from './dialogs';
import { MeMenu } from './MeMenu';
import { countOf, say } from '../words';

export function Rail({ onOpen }: { onOpen: (open: Open) => void }) {
  const rooms = useApp((state) => state.rooms);
  const people = useApp((state) => state.people);
  const chosen = useApp((state) => state.workspace);
  const me = useApp((state) => state.me);
  const [menu, setMenu] = useState<DOMRect | null>(null);
  const choose = (room: string) => {
    localStorage.setItem('hubbub.workspace', room);
    setApp({ workspace: room });
  };
  return (
    <nav aria-label={say('workspaces')} className="flex w-16 shrink-0 flex-col items-center gap-2 bg-rail py-3 text-rail-ink">
      <div className="flex min-h-0 flex-1 flex-col items-center gap-2 overflow-y-auto px-1 py-1">
        {workspaces(rooms).map((room) => {
          const id = room.state.room;
          const name = roomName(room, people);
          const marks = listed(rooms, id, people, me).channels.filter((channel) => channel.state.settings.workspace === id).map(markOf);
          const [unread, loud] = [marks.some((mark) => mark.unread > 0), marks.reduce((sum, mark) => sum + mark.mentions, 0)];
          return (
            <button key={id} type="button" title={name} aria-current={id === chosen ? 'true' : undefined} onClick={() => choose(id)} className="group relative flex size-11 items-center justify-center rounded-xl aria-[current]:ring-2 aria-[current]:ring-white/85">
              <Tile id={id} name={name} size={40} />
              <span className="sr-only">{unread && !loud ? say('workspace.unread', { name }) : name}</span>
              {loud > 0 ? <b className="absolute -end-1 -bottom-1 min-w-5 rounded-full bg-[#e2542a] px-1 text-center text-[0.6875rem] leading-5 font-semibold text-white ring-2 ring-rail">{countOf(loud, 99)}</b> : unread && <i className="absolute -end-0.5 -bottom-0.5 size-3 rounded-full bg-white ring-2 ring-rail" />}
            </button>
          );
        })}
        <button type="button" aria-label={say('workspace.new')} title={say('workspace.new')} onClick={() => onOpen({ what: 'workspace' })} className="flex size-11 items-center justify-center rounded-xl border border-dashed border-white/30 hover:bg-white/10 hover:text-white"><Icon name="plus" /></button>
      </div>
      <button type="button" aria-label={say('me.label')} aria-haspopup="dialog" className="flex size-11 items-center justify-center rounded-xl hover:bg-white/10" onClick={(event) => setMenu(event.currentTarget.getBoundingClientRect())}>
        <Avatar id={me} size={36} dot ring="ring-rail" />
      </button>
      {menu && <MeMenu anchor={menu} onClose={() => setMenu(null)} onOpen={onOpen} />}
    </nav>
  );
}
