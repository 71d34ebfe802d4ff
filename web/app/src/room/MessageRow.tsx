// One message: who, when, what, and what others said about it. Looks the same before and after it is acknowledged.

import { isPinned, standing, type Entry, type Event, type Marks, type RoomKind } from '@hubbub/sdk';
import { memo, useRef } from 'react';
import { Avatar } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { rowKey, timeOf } from '../model/rows';
import { bareClockOf, clockOf, exactOf } from '../model/times';
import { usePerson } from '../model/use';
import { Text } from '../markdown/Text';
import { useActions } from './actions';
import { Quote } from './Quote';
import { Reactions } from './Reactions';
import { Ticks } from './Ticks';
import { Tools } from './Tools';
import { say } from '../words';
import { sentence } from '../words/errors';
import { sayNodes } from '../words/nodes';

interface RowProps {
  event: Event; marks: Marks; pending: Entry | null; room: string; kind: RoomKind; reply: number | null;
  first: boolean; mine: boolean; me: string; active: boolean; tools: boolean; flash: boolean;
}

export const MessageRow = memo(function MessageRow({ event, marks, pending, room, kind, reply, first, mine, me, active, tools, flash }: RowProps) {
  const actions = useActions();
  const name = usePerson(event.user);
  const hold = useHold((box) => actions.show('menu', event, box));
  const at = timeOf(event);
  const message = event.body !== 'erased' && 'message' in event.body ? event.body.message : null;
  const edit = marks.edits.at(-1);
  const text = edit?.text ?? message?.text ?? '';
  const deleted = marks.deleted !== null;
  const reactions = deleted ? [] : standing(marks);
  const pinned = isPinned(marks);
  const loud = !deleted && !mine && text.includes(`<@${me}>`);
  const failed = pending?.state === 'failed';
  return (
    <article
      data-key={rowKey(event, me)} data-seq={pending ? undefined : event.seq} data-state={pending?.state ?? 'done'} data-mine={mine || undefined} tabIndex={active ? 0 : -1} {...hold}
      aria-label={say('message.label', { name, when: clockOf(at), text: deleted ? say('message.deleted') : text.slice(0, 200) })}
      className={`group relative flex gap-3 px-5 md:px-7 ${first ? 'pt-2.5' : 'pt-0.5'} pb-0.5 ${flash ? 'flash' : ''} ${loud ? 'border-s-3 border-loud bg-loud-soft/60' : pinned ? 'border-s-3 border-accent/60' : 'border-s-3 border-transparent'} ${tools ? 'bg-hover' : ''} focus-visible:-outline-offset-2`}
    >
      <div className="w-9 shrink-0 pt-0.5">
        {first ? <Avatar id={event.user} size={36} /> : <time dateTime={new Date(at).toISOString()} title={exactOf(at)} className={`block pt-0.5 text-end text-[0.6875rem] leading-5 whitespace-nowrap text-ink-3 tabular-nums ${tools ? '' : 'opacity-0'}`}>{bareClockOf(at)}</time>}
      </div>
      <div className="max-w-4xl min-w-0 flex-1">
        {first && (
          <header className="flex items-baseline gap-2 leading-5">
            <b dir="auto" className="truncate font-semibold">{name}</b>
            <time dateTime={new Date(at).toISOString()} title={exactOf(at)} className="shrink-0 text-xs text-ink-3">{clockOf(at)}</time>
            {pinned && <span className="flex items-center gap-1 text-xs text-accent-text"><Icon name="pin" size={12} />{say('message.pinned')}</span>}
          </header>
        )}
        {reply !== null && <Quote room={room} seq={reply} from={event.seq} />}
        {deleted ? <Tombstone event={event} marks={marks} /> : (
          <div className={`${edit ? 'edited' : ''} ${failed ? 'text-ink-2' : ''}`}>
            <Text text={text} imported={message?.origin != null && !edit} me={me} />
            {edit && <button type="button" className="ms-1.5 text-xs text-ink-3 hover:underline" title={say('message.showEdits')} onClick={(click) => actions.show('edits', event, click.currentTarget.getBoundingClientRect())}>{say('message.edited')}</button>}
          </div>
        )}
        {reactions.length > 0 && <Reactions event={event} reactions={reactions} me={me} />}
        {failed && <Failed entry={pending} />}
      </div>
      {mine && !deleted && <Ticks event={event} pending={pending} room={room} direct={kind === 'direct'} />}
      {tools && !pending && !deleted && <Tools event={event} mine={mine} />}
    </article>
  );
});

function Tombstone({ event, marks }: { event: Event; marks: Marks }) {
  const by = marks.deleted!.user;
  return (
    <p className="flex items-center gap-1.5 text-sm text-ink-3 italic">
      <Icon name="trash" size={14} />{by === event.user ? say('message.deletedOwn') : <span>{sayNodes('message.deletedBy', { name: <PersonName id={by} /> })}</span>}{marks.deleted!.reason ? ` ${say('message.reason', { reason: marks.deleted!.reason })}` : ''}
    </p>
  );
}

function Failed({ entry }: { entry: Entry }) {
  const actions = useActions();
  return (
    <div role="alert" className="mt-1 flex flex-wrap items-center gap-2 text-sm text-danger">
      <Icon name="alert" size={16} />{say('message.failed')} {entry.error ? sentence(entry.error) : ''}
      <button type="button" className="btn btn-quiet min-h-8 px-2.5 text-xs" onClick={() => actions.retry(entry.cmid)}><Icon name="retry" size={14} />{say('again')}</button>
      <button type="button" className="btn btn-quiet min-h-8 px-2.5 text-xs" onClick={() => actions.discard(entry.cmid)}><Icon name="trash" size={14} />{say('delete')}</button>
    </div>
  );
}

const HOLD_MS = 450;

/** A long press of a finger opens the menu; moving or lifting before that does not. */
function useHold(open: (box: DOMRect) => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const stop = () => clearTimeout(timer.current);
  return {
    onPointerDown(event: React.PointerEvent<HTMLElement>) {
      if (event.pointerType === 'mouse') return;
      const box = event.currentTarget.getBoundingClientRect();
      timer.current = setTimeout(() => { navigator.vibrate?.(8); open(box); }, HOLD_MS);
    },
    onPointerUp: stop, onPointerMove: stop, onPointerCancel: stop,
    onContextMenu(event: React.MouseEvent<HTMLElement>) {
      if ((event.nativeEvent as PointerEvent).pointerType !== 'mouse') event.preventDefault();
    },
  };
}
