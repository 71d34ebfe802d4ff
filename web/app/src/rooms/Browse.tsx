// The channels of a workspace that one may see: to join, or to open.

import type { ChannelEntry } from '@hubbub/sdk';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { Dialog } from '../components/Dialog';
import { Icon } from '../components/Icon';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import { say } from '../words';
import { sentence } from '../words/errors';

const LOOK_EVERY_MS = 3_000;

export function Browse({ workspace, onClose, onNew }: { workspace: string; onClose: () => void; onNew: () => void }) {
  const engine = useEngine();
  const [, go] = useLocation();
  const rooms = useApp((state) => state.rooms);
  const [channels, setChannels] = useState<ChannelEntry[] | null>(null);
  const [query, setQuery] = useState('');
  const [error, setError] = useState<string | null>(null);
  const [joining, setJoining] = useState<string | null>(null);
  useEffect(() => {
    const load = async () => {
      const found: ChannelEntry[] = [];
      let cursor: string | undefined;
      do {
        const page = await engine.client.rest.channels(workspace, cursor);
        found.push(...page.channels);
        cursor = page.cursor ?? undefined;
      } while (cursor && found.length < 1_000);
      setChannels(found.sort((a, b) => (a.settings.name ?? '').localeCompare(b.settings.name ?? '')));
    };
    const look = () => load().catch((failed: unknown) => setError(sentence(failed)));
    void look();
    // A channel that was made a moment ago is listed a little later.
    const again = setInterval(() => void look(), LOOK_EVERY_MS);
    return () => clearInterval(again);
  }, [engine, workspace]);
  const open = async (channel: ChannelEntry) => {
    setJoining(channel.room);
    try {
      if (!rooms[channel.room]) await engine.client.now(channel.room, { join: {} });
      onClose();
      go(`/r/${channel.room}`);
    } catch (failed) {
      setError(sentence(failed));
      setJoining(null);
    }
  };
  const shown = (channels ?? []).filter((channel) => `${channel.settings.name} ${channel.settings.topic}`.toLowerCase().includes(query.toLowerCase()));
  return (
    <Dialog title={say('channels')} wide onClose={onClose}>
      <div className="flex gap-2">
        <input className="field" dir="auto" placeholder={say('browse.find')} aria-label={say('browse.find')} value={query} onChange={(event) => setQuery(event.target.value)} data-first />
        <button type="button" className="btn btn-quiet" onClick={onNew}><Icon name="plus" size={18} />{say('browse.new')}</button>
      </div>
      {error && <p role="alert" className="mt-3 text-sm text-danger">{error}</p>}
      <ul className="mt-3 divide-y divide-line">
        {!channels && !error && [1, 2, 3].map((n) => <li key={n} className="pulse my-2 h-10 rounded-lg bg-pressed" />)}
        {shown.map((channel) => {
          const joined = channel.joined || rooms[channel.room] !== undefined;
          return (
            <li key={channel.room} className="flex items-center gap-3 py-2">
              <Icon name={channel.settings.public ? 'hash' : 'lock'} size={18} className="text-ink-3" />
              <div className="min-w-0 flex-1"><p dir="auto" className="truncate font-medium">{channel.settings.name}</p>{channel.settings.topic && <p dir="auto" className="truncate text-sm text-ink-2">{channel.settings.topic}</p>}</div>
              <button type="button" className={`btn ${joined ? 'btn-quiet' : 'btn-accent'}`} aria-label={say(joined ? 'browse.openNamed' : 'browse.joinNamed', { name: channel.settings.name ?? '' })} disabled={joining !== null} onClick={() => void open(channel)}>{say(joined ? 'browse.open' : 'browse.join')}</button>
            </li>
          );
        })}
        {channels && shown.length === 0 && <li className="py-6 text-center text-sm text-ink-3">{say(query ? 'browse.unmatched' : 'browse.none')}</li>}
      </ul>
    </Dialog>
  );
}
