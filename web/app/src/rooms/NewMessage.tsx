// Starting a conversation: one person makes a direct room, several a group. And bringing people into a room that is there.

import type { Profile } from '@hubbub/sdk';
import { useState, type FormEvent } from 'react';
import { useLocation } from 'wouter';
import { Dialog } from '../components/Dialog';
import { roomName } from '../model/names';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import { PeoplePicker } from './PeoplePicker';
import { useBusy } from './useBusy';
import { say } from '../words';

export function NewMessage({ onClose }: { onClose: () => void }) {
  const engine = useEngine();
  const [, go] = useLocation();
  const [chosen, setChosen] = useState<Profile[]>([]);
  const [name, setName] = useState('');
  const rooms = useApp((state) => state.rooms);
  const { busy, error, run } = useBusy();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const ids = chosen.map((person) => person.id);
      const known = ids.length === 1 ? Object.values(rooms).find((room) => room.state.kind === 'direct' && room.state.peer === ids[0]) : undefined;
      const room = known?.state.room ?? await engine.client.create(ids.length === 1 ? 'direct' : 'group', ids.length === 1 ? {} : { name: name.trim() }, ids);
      onClose();
      go(`/r/${room}`);
    });
  };
  return (
    <Dialog title={say('people.new')} hint={say('people.hint')} onClose={onClose}>
      <form onSubmit={submit} className="space-y-3">
        <PeoplePicker chosen={chosen} onChange={setChosen} />
        {chosen.length > 1 && <label className="block"><span className="text-sm font-medium">{say('people.group')} <i className="font-normal text-ink-3 not-italic">{say('optional')}</i></span><input dir="auto" className="field mt-1" maxLength={60} value={name} onChange={(event) => setName(event.target.value)} /></label>}
        {error && <p role="alert" className="text-sm text-danger">{error}</p>}
        <button type="submit" className="btn btn-accent w-full" disabled={busy || chosen.length === 0}>{say(chosen.length > 1 ? 'people.startGroup' : 'people.start')}</button>
      </form>
    </Dialog>
  );
}

export function Invite({ room, onClose }: { room: string; onClose: () => void }) {
  const engine = useEngine();
  const known = useApp((state) => state.rooms[room]);
  const members = useApp((state) => state.members[room]);
  const name = useApp((state) => (state.rooms[room] ? roomName(state.rooms[room], state.people) : ''));
  const [chosen, setChosen] = useState<Profile[]>([]);
  const { busy, error, run } = useBusy();
  if (!known) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      for (const person of chosen) await engine.client.now(room, { invite: { user: person.id } });
      await engine.loadMembers(room);
      onClose();
    });
  };
  return (
    <Dialog title={say('invite.to', { name })} onClose={onClose}>
      <form onSubmit={submit} className="space-y-3">
        <PeoplePicker chosen={chosen} onChange={setChosen} without={(members ?? []).map((member) => member.user)} />
        {error && <p role="alert" className="text-sm text-danger">{error}</p>}
        <button type="submit" className="btn btn-accent w-full" disabled={busy || chosen.length === 0}>{say('invite.add')}</button>
      </form>
    </Dialog>
  );
}
