// The signed-in page: rail, room list, room, panel. On a phone one of list and room is shown at a time.

import { lazy, Suspense, useEffect } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { Banner } from '../components/Banner';
import { Icon } from '../components/Icon';
import { listed, workspaces } from '../model/names';
import { getApp, setApp, useApp } from '../model/state';
import { useTitle } from '../model/title';
import { useKeys } from '../model/keys';
import { RoomView } from '../room/RoomView';
import { Rail } from '../rooms/Rail';
import { Sidebar } from '../rooms/Sidebar';
import type { Open } from '../rooms/dialogs';
import { say } from '../words';

const Dialogs = lazy(() => import('../rooms/dialogs'));

export function Chat({ open, onOpen: setOpen }: { open: Open | null; onOpen: (open: Open | null) => void }) {
  const [location] = useLocation();
  const inRoom = location.startsWith('/r/');
  useTitle();
  useKeys(setOpen);
  useWorkspace();
  return (
    <div className="flex h-full flex-col">
      <Banner />
      <div className="flex min-h-0 flex-1">
        <div className={`${inRoom ? 'hidden md:flex' : 'flex'} min-w-0 flex-1 md:flex-none`}>
          <Rail onOpen={setOpen} />
          <Sidebar onOpen={setOpen} />
        </div>
        <main className={`${inRoom ? 'flex' : 'hidden md:flex'} min-w-0 flex-1 flex-col bg-bg`}>
          <Switch>
            <Route path="/r/:room/:seq?">{({ room, seq }) => <RoomView key={room} room={room!} seq={seq ? Number(seq) : null} onOpen={setOpen} />}</Route>
            <Route><Landing onOpen={setOpen} /></Route>
          </Switch>
        </main>
      </div>
      {open && <Suspense fallback={null}><Dialogs open={open} onOpen={setOpen} onClose={() => setOpen(null)} /></Suspense>}
    </div>
  );
}

/** Some workspace is chosen as soon as there is one. */
function useWorkspace() {
  const rooms = useApp((state) => state.rooms);
  const chosen = useApp((state) => state.workspace);
  useEffect(() => {
    if (chosen && rooms[chosen]) return;
    const kept = localStorage.getItem('hubbub.workspace');
    const next = kept && rooms[kept] ? kept : (workspaces(rooms)[0]?.state.room ?? null);
    if (next !== chosen) setApp({ workspace: next });
  }, [rooms, chosen]);
}

/** On a wide page the last room opens by itself; where there is none, what to do first. */
function Landing({ onOpen }: { onOpen: (open: Open) => void }) {
  const [, go] = useLocation();
  const greeted = useApp((state) => state.greeted);
  const hasRooms = useApp((state) => Object.values(state.rooms).some((room) => room.state.kind !== 'workspace'));
  const workspace = useApp((state) => state.workspace);
  useEffect(() => {
    if (!hasRooms || !matchMedia('(min-width: 48rem)').matches) return;
    const { rooms, people, me } = getApp();
    // Channels are those of the chosen workspace: it is chosen first.
    if (!workspace && workspaces(rooms).length > 0) return;
    const last = localStorage.getItem('hubbub.room');
    const { channels, talks } = listed(rooms, workspace, people, me);
    const next = last && rooms[last] ? last : (channels[0] ?? talks[0])?.state.room;
    if (next) go(`/r/${next}`, { replace: true });
  }, [hasRooms, workspace, go]);
  if (hasRooms || !greeted) return <div className="flex-1" />;
  return (
    <div className="flex flex-1 flex-col items-center justify-center gap-6 p-8 text-center">
      <span className="flex size-16 items-center justify-center rounded-2xl bg-accent-soft text-accent-text"><Icon name="chat" size={30} /></span>
      <div>
        <h1 className="text-xl font-semibold tracking-tight">{say('landing.title')}</h1>
        <p className="mt-1 max-w-md text-sm text-ink-2">{say('landing.text')}</p>
      </div>
      <div className="flex flex-wrap justify-center gap-2">
        <button type="button" className="btn btn-accent" onClick={() => onOpen({ what: 'people' })}><Icon name="pen" size={18} />{say('people.new')}</button>
        <button type="button" className="btn btn-quiet" onClick={() => onOpen({ what: 'workspace' })}><Icon name="plus" size={18} />{say('workspace.new')}</button>
      </div>
    </div>
  );
}
