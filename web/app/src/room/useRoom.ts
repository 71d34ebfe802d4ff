// What the list shows of a room: which span, from where "New" stands, what is pending; and getting there.

import { eventAt, lastOf, liveSpan, missing, newFrom, spanAt, type Event, type Room, type Span } from '@hubbub/sdk';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { pendingMarks, pendingPosts, type Pending } from '../model/overlay';
import { rowsOf, timeOf, type Row, type Rows } from '../model/rows';
import { getApp, useApp } from '../model/state';
import { useEngine } from '../model/use';

export interface View {
  room: Room;
  rows: readonly Row[];
  pending: ReadonlyMap<string, Pending>;
  marks: ReadonlyMap<number, readonly Event[]>;
  span: Span | null;
  atHead: boolean;
  newFrom: number | null;
  /** The list may be drawn: what it opens at is known. */
  opened: boolean;
}

export interface Place { seq: number; flash: boolean; id: number }

let places = 0;

export function useRoom(id: string, asked: number | null) {
  const engine = useEngine();
  const room = useApp((state) => state.rooms[id]);
  const outbox = useApp((state) => state.outbox);
  const connected = useApp((state) => state.connection === 'open');
  const me = useApp((state) => state.me);
  const [anchor, setAnchor] = useState<number | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [opened, setOpened] = useState(false);
  const [line, setLine] = useState<number | null>(null);
  const rowsBefore = useRef<Rows | undefined>(undefined);

  const jump = useCallback(async (seq: number, flash = true) => {
    const known = getApp().rooms[id];
    if (known && !spanAt(known.log, seq)) await engine.page(id, { around: seq }, seq).catch(() => undefined);
    const now = engine.client.rooms.all.get(id);
    if (!now || !spanAt(now.log, seq)) return;
    setAnchor(seq);
    setPlace({ seq, flash, id: ++places });
  }, [engine, id]);

  useOpening(id, asked, connected, { opened, setOpened, setLine, jump, setPlace });
  useNewLine(id, setLine);

  const log = room?.log;
  const span = log ? ((anchor !== null ? spanAt(log, anchor) : null) ?? log.spans.at(-1) ?? null) : null;
  const atHead = !span || !log || lastOf(span) >= Math.max(log.head, 0) || span === log.spans.at(-1);
  const rows = useMemo(() => (rowsBefore.current = rowsOf(span?.events ?? [], line, me, rowsBefore.current)), [span?.events, line, me]);
  const pending = useMemo(() => {
    const posts = atHead && log ? pendingPosts(outbox, id, me, (seq) => eventAt(log, seq) !== null) : [];
    const known = new Set(rows.rows.slice(-60).map((row) => row.key));
    return new Map(posts.filter(({ event }) => !known.has(event.cmid)).map((each) => [each.event.cmid, each]));
  }, [outbox, id, me, atHead, log, rows]);
  const all = useMemo(() => (pending.size === 0 ? rows.rows : rowsOf([...rows.events, ...[...pending.values()].map(({ event }) => event)], line, me, rows).rows), [rows, pending, line, me]);
  const marks = useMemo(() => pendingMarks(outbox, id, me), [outbox, id, me]);

  const view: View | null = room ? { room, rows: all, pending, marks, span, atHead, newFrom: line, opened } : null;
  const latest = useCallback(() => { setAnchor(null); setPlace(null); void engine.freshen(id).catch(() => undefined); }, [engine, id]);
  const toDate = useCallback((at: number) => findDate(engine, id, at).then((seq) => (seq ? jump(seq) : undefined)), [engine, id, jump]);
  return { view, place, jump, latest, toDate, setLine };
}

interface Opening { opened: boolean; setOpened: (opened: boolean) => void; setLine: (line: number | null) => void; setPlace: (place: Place) => void; jump: (seq: number, flash?: boolean) => Promise<void> }

/** Gets what the room opens at: a permalink, else the first unread, else the newest. And again what was missed, at each connection. */
function useOpening(id: string, asked: number | null, connected: boolean, { opened, setOpened, setLine, jump, setPlace }: Opening) {
  const engine = useEngine();
  const known = useApp((state) => state.rooms[id] !== undefined);
  const behind = useApp((state) => { const room = state.rooms[id]; return room ? !liveSpan(room.log) : false; });
  const started = useRef(false);
  useEffect(() => {
    if (!known) return;
    const rooms = engine.client.rooms;
    const open = async () => {
      const before = rooms.all.get(id)!;
      const first = newFrom(before.state, before.log);
      setLine(first);
      if (connected && missing(before.log)) await engine.freshen(id).catch(() => undefined);
      const target = asked ?? first;
      const log = rooms.all.get(id)?.log;
      if (!log || (log.spans.length === 0 && !connected && log.head > 0)) { started.current = false; return; }
      if (target !== null && target <= log.head) {
        if (!spanAt(log, target) && connected) await jump(target, asked !== null);
        else if (spanAt(log, target)) setPlace({ seq: target, flash: asked !== null, id: ++places });
      }
      setOpened(true);
    };
    if (!started.current) { started.current = true; void open(); return; }
    if (opened && connected && behind) void engine.freshen(id).catch(() => undefined);
  }, [engine, id, known, connected, behind, asked, opened, jump, setLine, setOpened, setPlace]);
  const first = useRef(asked);
  useEffect(() => {
    if (asked !== null && asked !== first.current) void jump(asked);
    first.current = asked;
  }, [asked, jump]);
}

/** Messages that come while nobody looks get a "New" line of their own. */
function useNewLine(id: string, setLine: (line: number | null) => void) {
  const engine = useEngine();
  useEffect(() => {
    let looking = document.hasFocus() && document.visibilityState === 'visible';
    const blur = () => { looking = false; };
    const focus = () => { looking = true; };
    const stop = engine.client.rooms.on('event', (event) => {
      if (event.room !== id || looking || event.body === 'erased' || !('message' in event.body) || event.user === getApp().me) return;
      const room = engine.client.rooms.all.get(id);
      if (room && room.state.ordinal - room.state.read_ordinal === 1) setLine(event.seq);
    });
    addEventListener('blur', blur);
    addEventListener('focus', focus);
    document.addEventListener('visibilitychange', () => { looking = document.visibilityState === 'visible' && document.hasFocus(); });
    return () => { stop(); removeEventListener('blur', blur); removeEventListener('focus', focus); };
  }, [engine, id, setLine]);
}

const PAGES_MAX = 6;

/** The first message that was said at `at` or later; an imported one at its own time. What is no message is passed over. */
async function findDate(engine: ReturnType<typeof useEngine>, room: string, at: number): Promise<number | null> {
  let page = await engine.client.connection.history({ room, at, limit: 30 });
  let last: number | null = null;
  for (let n = 0; n < PAGES_MAX; n++) {
    const said = page.events.filter((event) => event.body !== 'erased' && 'message' in event.body);
    const found = said.find((event) => timeOf(event) >= at);
    if (found) return found.seq;
    last = said.at(-1)?.seq ?? last;
    if (page.to >= page.head) break;
    page = await engine.client.connection.history({ room, after: page.to, limit: 200 });
  }
  return last;
}
