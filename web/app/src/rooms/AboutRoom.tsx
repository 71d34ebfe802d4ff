// A room's name and topic, who may join, and the way out of it.

import { useState, type FormEvent } from 'react';
import { useLocation } from 'wouter';
import { Dialog } from '../components/Dialog';
import { Icon } from '../components/Icon';
import { roomName } from '../model/names';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import { useBusy } from './useBusy';
import { say } from '../words';

export function AboutRoom({ room, onClose, onInvite }: { room: string; onClose: () => void; onInvite: () => void }) {
  const engine = useEngine();
  const [, go] = useLocation();
  const known = useApp((state) => state.rooms[room]);
  const title = useApp((state) => (state.rooms[room] ? roomName(state.rooms[room], state.people, state.members[room], state.me) : ''));
  const { busy, error, run } = useBusy();
  const [sure, setSure] = useState(false);
  if (!known) return null;
  const { settings, role, kind } = known.state;
  const may = role === 'owner' || role === 'moderator';
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void run(async () => {
      await engine.client.now(room, { settings: { settings: { ...settings, name: String(form.get('name')).trim(), topic: String(form.get('topic')).trim() } } });
      onClose();
    });
  };
  const leave = () => void run(async () => {
    await engine.client.now(room, { leave: {} });
    onClose();
    go('/');
  });
  return (
    <Dialog title={title} hint={kind === 'channel' ? say(settings.public ? 'about.public' : 'about.private') : undefined} onClose={onClose}>
      {kind === 'direct' ? <p className="text-sm text-ink-2">{say('about.direct')}</p> : (
        <>
          <form onSubmit={save} className="space-y-4">
            <label className="block"><span className="text-sm font-medium">{say('name')}</span><input name="name" dir="auto" className="field mt-1" maxLength={60} defaultValue={settings.name ?? ''} disabled={!may} required={kind === 'channel'} /></label>
            <label className="block"><span className="text-sm font-medium">{say('topic')}</span><input name="topic" dir="auto" className="field mt-1" maxLength={200} defaultValue={settings.topic ?? ''} disabled={!may} /></label>
            {error && <p role="alert" className="text-sm text-danger">{error}</p>}
            <div className="flex flex-wrap gap-2">
              {may && <button type="submit" className="btn btn-accent" disabled={busy}>{say('save')}</button>}
              <button type="button" className="btn btn-quiet" onClick={onInvite}><Icon name="plus" size={18} />{say('invite.people')}</button>
              <button type="button" className="btn btn-danger ms-auto" disabled={busy} onClick={() => (sure ? leave() : setSure(true))}>{say(sure ? 'about.leaveSure' : 'about.leave')}</button>
            </div>
          </form>
        </>
      )}
    </Dialog>
  );
}
