// One room: its header, its messages, the composer, and a panel beside them.

import { type Event } from '@hubbub/sdk';
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { Icon } from '../components/Icon';
import { marksWith } from '../model/overlay';
import { getApp, toast, useApp } from '../model/state';
import { useEngine } from '../model/use';
import type { Open } from '../rooms/dialogs';
import { ActionsContext, type Actions } from './actions';
import { Composer, type Mode } from './Composer';
import { Header, type PanelName } from './Header';
import { MessageList, type ListHandle } from './MessageList';
import { Panels, type Shown } from './Panels';
import { TypingLine } from './TypingLine';
import { useRoom } from './useRoom';
import { say } from '../words';
import { sentence } from '../words/errors';

const Panel = lazy(() => import('./Panel'));

export function RoomView({ room: id, seq, onOpen }: { room: string; seq: number | null; onOpen: (open: Open) => void }) {
  const engine = useEngine();
  const [location, go] = useLocation();
  const { view, place, jump, latest, toDate, setLine } = useRoom(id, seq);
  const connected = useApp((state) => state.connection === 'open');
  const [mode, setMode] = useState<Mode>(null);
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [back, setBack] = useState<number | null>(null);
  const list = useRef<ListHandle>(null);

  useEffect(() => { localStorage.setItem('hubbub.room', id); }, [id]);
  useRoomFacts(id, connected);
  useEscape(mode, setMode, panel, setPanel, () => { latest(); list.current?.toEnd(); });

  const actions = useMemo<Actions>(() => {
    const { client } = engine;
    const fail = (error: unknown) => toast(sentence(error));
    return {
      reply: (event) => setMode({ kind: 'reply', event }),
      edit: (event) => setMode({ kind: 'edit', event }),
      remove: (event) => void client.delete(id, event.seq).catch(fail),
      react: (event, emoji, on) => void client.react(id, event.seq, emoji, on).catch(fail),
      pin: (event, on) => void client.pin(id, event.seq, on).catch(fail),
      unreadFrom: (event) => { client.unread(id, event.seq); setLine(event.seq); },
      jump: (to, from) => { if (from !== undefined) setBack(from); void jump(to); },
      link: (event) => void navigator.clipboard.writeText(`${window.location.origin}/r/${id}/${event.seq}`).then(() => toast(say('message.linkCopied'))),
      copy: (event) => { if (event.body !== 'erased' && 'message' in event.body) void navigator.clipboard.writeText(event.body.message.text).then(() => toast(say('message.textCopied'))); },
      retry: (cmid) => void client.outbox.retry(cmid),
      discard: (cmid) => void client.outbox.discard(cmid),
      show: (what, event, anchor) => setShown({ what, event, anchor }),
    };
  }, [engine, id, jump, setLine]);

  const editLast = useCallback(() => {
    const mine = (event: Event) => event.user === getApp().me && event.body !== 'erased' && 'message' in event.body;
    const event = view?.span?.events.findLast((each) => mine(each) && !marksWith(view.room, view.marks, each.seq).deleted);
    if (event) setMode({ kind: 'edit', event });
  }, [view]);

  if (!view) return <Unknown id={id} onBack={() => go('/')} />;
  return (
    <ActionsContext value={actions}>
      <div className="flex min-h-0 flex-1">
        <section className="relative flex min-w-0 flex-1 flex-col" aria-label={say('room.title')}>
          <Header view={view} panel={panel} onPanel={setPanel} onBack={() => go('/')} onDate={(at) => void toDate(at).catch(() => toast(say('date.failed')))} onOpen={onOpen} />
          <MessageList key={location.split('/')[2]} ref={list} view={view} place={place} onLatest={latest} />
          {back !== null && (
            <button type="button" className="btn btn-quiet absolute bottom-32 left-1/2 z-10 -translate-x-1/2 rounded-full shadow-float" onClick={() => { void jump(back); setBack(null); }}>
              <Icon name="reply" size={16} />{say('room.goBack')}
            </button>
          )}
          <TypingLine room={id} />
          <Composer view={view} mode={mode} onMode={setMode} onSent={() => { setLine(null); latest(); list.current?.toEnd(); }} onEditLast={editLast} />
        </section>
        {panel && <Suspense fallback={null}><Panel view={view} panel={panel} onClose={() => setPanel(null)} onOpen={onOpen} /></Suspense>}
      </div>
      {shown && <Panels key={`${shown.what}${shown.event.seq}`} view={view} shown={shown} onShow={setShown} onClose={() => setShown((now) => (now === shown ? null : now))} />}
    </ActionsContext>
  );
}

/** Members and receipts of the open room, asked at each connection. */
function useRoomFacts(id: string, connected: boolean) {
  const engine = useEngine();
  const known = useApp((state) => state.rooms[id] !== undefined);
  useEffect(() => {
    if (!connected || !known) return;
    void engine.loadMembers(id).catch(() => undefined);
    void engine.client.rest.receipts(id).then((page) => engine.client.rooms.setReceipts(id, page.receipts)).catch(() => undefined);
  }, [engine, id, connected, known]);
}

/** Esc goes down a ladder: what is being written about, the panel, then to the latest. Dialogs and popovers take it first by themselves. */
function useEscape(mode: Mode, setMode: (mode: Mode) => void, panel: PanelName | null, setPanel: (panel: PanelName | null) => void, latest: () => void) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing || document.querySelector('dialog[open], [popover]:popover-open')) return;
      if (mode) setMode(null);
      else if (panel) setPanel(null);
      else latest();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [mode, setMode, panel, setPanel, latest]);
}

function Unknown({ id, onBack }: { id: string; onBack: () => void }) {
  const greeted = useApp((state) => state.greeted);
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1_200);
    return () => clearTimeout(timer);
  }, [id]);
  if (!greeted || !late) return <div className="flex-1" role="status" aria-label={say('loading')} />;
  return (
    <div className="flex flex-1 flex-col items-center justify-center gap-3 p-8 text-center">
      <h1 className="text-lg font-semibold">{say('room.unknown')}</h1>
      <p className="max-w-sm text-sm text-ink-2">{say('room.unknownHint')}</p>
      <button type="button" className="btn btn-quiet" onClick={onBack}>{say('room.toRooms')}</button>
    </div>
  );
}
