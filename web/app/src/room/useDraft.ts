// The unsent text of a room: kept in this browser at each key, on the node when the hand rests; and taken over from other devices.

import { useEffect, useMemo, useRef } from 'react';
import { getApp, useApp } from '../model/state';
import { useEngine } from '../model/use';

const REST_MS = 1_000;

export function useDraft(room: string, editing: boolean, show: (wire: string) => void) {
  const engine = useEngine();
  const said = useRef<string>('');
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const theirs = useApp((state) => state.rooms[room]?.state.draft ?? '');

  const draft = useMemo(() => {
    const current = () => getApp().drafts[room] ?? '';
    const say = () => {
      if (timer.current) clearTimeout(timer.current);
      timer.current = null;
      const text = current();
      if (text === said.current) return;
      const before = said.current;
      said.current = text;
      void engine.client.draft(room, text).then((kept) => {
        // Not said: what the node has is what it had, and this text is still ours alone.
        if (kept || said.current !== text) return;
        said.current = before;
        timer.current ??= setTimeout(say, REST_MS);
      });
    };
    return {
      current,
      change(wire: string) {
        engine.setDraft(room, wire);
        if (timer.current) clearTimeout(timer.current);
        timer.current = setTimeout(say, REST_MS);
      },
      clear() { engine.setDraft(room, ''); say(); },
      leave: say,
    };
  }, [engine, room]);

  const opened = useRef(false);
  useEffect(() => {
    if (!opened.current) {
      opened.current = true;
      const kept = getApp().drafts[room];
      said.current = theirs;
      if (kept === undefined && theirs) engine.setDraft(room, theirs);
      if ((kept ?? theirs) && !editing) show(kept ?? theirs);
      if (kept !== undefined && kept !== theirs) timer.current = setTimeout(draft.leave, REST_MS);
      return;
    }
    if (theirs === said.current) return;
    const untouched = draft.current() === said.current;
    said.current = theirs;
    if (!untouched) return;
    engine.setDraft(room, theirs);
    if (!editing) show(theirs);
  }, [theirs, room, editing, show, engine, draft]);
  useEffect(() => {
    engine.writing = room;
    addEventListener('pagehide', draft.leave);
    return () => {
      removeEventListener('pagehide', draft.leave);
      draft.leave();
      if (engine.writing === room) engine.writing = null;
    };
  }, [engine, room, draft]);
  return draft;
}
