// What opens beside one message: emoji, the menu, who has read it, how it was before.

import { marksOf, type Edit, type Event } from '@hubbub/sdk';
import { useEffect, useState } from 'react';
import { Avatar } from '../components/Avatar';
import { EmojiPicker, recentEmoji } from '../components/EmojiPicker';
import { Icon, type IconName } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { Popover } from '../components/Popover';
import { marksWith } from '../model/overlay';
import { useApp } from '../model/state';
import { exactOf } from '../model/times';
import { useEngine } from '../model/use';
import { isPinned } from '@hubbub/sdk';
import { useActions } from './actions';
import type { View } from './useRoom';
import { say } from '../words';

export interface Shown { what: 'emoji' | 'menu' | 'receipts' | 'edits'; event: Event; anchor: DOMRect }

export function Panels({ view, shown, onShow, onClose }: { view: View; shown: Shown; onShow: (shown: Shown | null) => void; onClose: () => void }) {
  const actions = useActions();
  const { event, anchor } = shown;
  switch (shown.what) {
    case 'emoji': return <Popover anchor={anchor} onClose={onClose} label={say('react')}><EmojiPicker onPick={(emoji) => { actions.react(event, emoji, true); onShow(null); }} /></Popover>;
    case 'menu': return <Menu view={view} event={event} anchor={anchor} onShow={onShow} onClose={onClose} />;
    case 'receipts': return <Popover anchor={anchor} onClose={onClose} label={say('receipts.title')} className="w-64"><Receipts view={view} event={event} /></Popover>;
    case 'edits': return <Popover anchor={anchor} onClose={onClose} label={say('edits.title')} className="w-80"><Edits view={view} event={event} /></Popover>;
  }
}

function Menu({ view, event, anchor, onShow, onClose }: { view: View; event: Event; anchor: DOMRect; onShow: (shown: Shown | null) => void; onClose: () => void }) {
  const actions = useActions();
  const me = useApp((state) => state.me);
  const [sure, setSure] = useState(false);
  const marks = marksWith(view.room, view.marks, event.seq);
  const mine = event.user === me;
  const power = view.room.state.role === 'owner' || view.room.state.role === 'moderator';
  const pinned = isPinned(marks);
  const item = (icon: IconName, label: string, act: () => void, loud = false) => (
    <button type="button" className={`menu-item ${loud ? 'text-danger' : ''}`} onClick={() => { act(); onShow(null); }}><Icon name={icon} size={18} />{label}</button>
  );
  return (
    <Popover anchor={anchor} onClose={onClose} label={say('message.title')} className="w-60">
      {!marks.deleted && (
        <>
          <div className="flex justify-between px-1 pb-1">
            {recentEmoji().slice(0, 5).map((emoji) => <button key={emoji} type="button" aria-label={say('reactWith', { emoji })} className="flex size-9 items-center justify-center rounded-md text-xl hover:bg-hover pointer-coarse:size-11" onClick={() => { actions.react(event, emoji, true); onShow(null); }}>{emoji}</button>)}
            <button type="button" aria-label={say('emoji.more')} className="icon-btn" onClick={() => onShow({ what: 'emoji', event, anchor })}><Icon name="smile" /></button>
          </div>
          {item('reply', say('reply'), () => actions.reply(event))}
          {mine && item('pen', say('edit'), () => actions.edit(event))}
          {item('copy', say('message.copy'), () => actions.copy(event))}
          {item('pin', say(pinned ? 'message.unpin' : 'message.pin'), () => actions.pin(event, !pinned))}
        </>
      )}
      {item('link', say('message.link'), () => actions.link(event))}
      {item('dot', say('message.unread'), () => actions.unreadFrom(event))}
      <button type="button" className="menu-item" onClick={() => onShow({ what: 'receipts', event, anchor })}><Icon name="eye" size={18} />{say('receipts.title')}</button>
      {(mine || power) && !marks.deleted && (
        <button type="button" className="menu-item text-danger" onClick={() => { if (!sure) return setSure(true); actions.remove(event); onShow(null); }}><Icon name="trash" size={18} />{say(sure ? 'deleteSure' : 'delete')}</button>
      )}
    </Popover>
  );
}

const LISTED_MAX = 100;

function Receipts({ view, event }: { view: View; event: Event }) {
  const entries = [...view.room.receipts].filter(([user]) => user !== event.user);
  const read = entries.filter(([, receipt]) => receipt.seq >= event.seq).map(([user]) => user);
  const delivered = entries.filter(([, receipt]) => receipt.seq < event.seq && receipt.delivered >= event.seq).map(([user]) => user);
  return (
    <div className="max-h-80 overflow-y-auto p-1.5" tabIndex={0}>
      <People title={say('receipts.read', { people: read.length })} users={read} />
      {delivered.length > 0 && <People title={say('receipts.delivered', { people: delivered.length })} users={delivered} />}
      {read.length + delivered.length === 0 && <p className="p-1 text-sm text-ink-2">{say('receipts.nobody')}</p>}
    </div>
  );
}

function People({ title, users }: { title: string; users: string[] }) {
  return (
    <section>
      <h3 className="px-1 py-1 text-xs font-semibold text-ink-3">{title}</h3>
      <ul>{users.slice(0, LISTED_MAX).map((user) => <li key={user} className="flex min-h-9 items-center gap-2 px-1 text-sm"><Avatar id={user} size={24} /><PersonName id={user} /></li>)}</ul>
    </section>
  );
}

const PAGES_MAX = 6;

/** All versions. Edits that lie outside of what is loaded are paged in, within bounds. */
function Edits({ view, event }: { view: View; event: Event }) {
  const engine = useEngine();
  const room = view.room.state.room;
  const edits = useApp((state) => (state.rooms[room] ? marksOf(state.rooms[room].log, event.seq).edits : []));
  const last = edits.at(-1)?.seq ?? 0;
  useEffect(() => {
    const load = async () => {
      for (let from = event.seq, n = 0; n < PAGES_MAX && from < last; n++, from += 200) await engine.client.rooms.load(room, { after: from, limit: 200 }, event.seq);
    };
    void load().catch(() => undefined);
  }, [engine, room, event.seq, last]);
  const first = event.body !== 'erased' && 'message' in event.body ? event.body.message.text : '';
  const all: Edit[] = [{ seq: event.seq, at: event.at, text: first }, ...edits];
  return (
    <ol className="max-h-80 space-y-2 overflow-y-auto p-2" tabIndex={0}>
      {all.toReversed().map((version, i) => (
        <li key={version.seq} className="text-sm">
          <time className="text-xs text-ink-3" dateTime={new Date(version.at).toISOString()}>{i === 0 ? say('edits.now', { when: exactOf(version.at) }) : exactOf(version.at)}</time>
          <p className={`whitespace-pre-wrap ${i === 0 ? '' : 'text-ink-2'}`}>{version.text}</p>
        </li>
      ))}
    </ol>
  );
}
