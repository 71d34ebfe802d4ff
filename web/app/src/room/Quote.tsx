// The message that another one answers: a line of it; a click goes there.

import { eventAt, marksOf } from '@hubbub/sdk';
import { useEffect } from 'react';
import { PersonName } from '../components/PersonName';
import { personName } from '../model/names';
import { plain } from '../markdown/parse';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import { useActions } from './actions';
import { say } from '../words';

export function Quote({ room, seq, from }: { room: string; seq: number; from: number }) {
  const engine = useEngine();
  const actions = useActions();
  const event = useApp((state) => (state.rooms[room] ? eventAt(state.rooms[room].log, seq) : null));
  const marks = useApp((state) => (state.rooms[room] ? marksOf(state.rooms[room].log, seq) : null));
  const people = useApp((state) => state.people);
  useEffect(() => {
    if (!event) void engine.client.rooms.load(room, { around: seq, limit: 20 }, from).catch(() => undefined);
  }, [engine, room, seq, from, event]);
  const text = event && event.body !== 'erased' && 'message' in event.body ? (marks?.edits.at(-1)?.text ?? event.body.message.text) : '';
  const said = !event ? '…' : marks?.deleted || event.body === 'erased' ? say('quote.deleted') : plain(text, (id) => personName(people, id));
  return (
    <button type="button" data-quote={seq} title={say('quote.title')} onClick={() => actions.jump(seq, from)} className="my-0.5 flex max-w-full min-w-0 items-center gap-1.5 rounded-md border-s-2 border-accent bg-hover py-1 pe-2 ps-2 text-start text-sm text-ink-2 hover:bg-pressed pointer-coarse:min-h-11">
      {event && <b className="shrink-0 font-semibold text-ink"><PersonName id={event.user} /></b>}
      <span dir="auto" className="truncate">{said}</span>
    </button>
  );
}
