// How far one's own message got: waiting, in the room, on somebody's device, read. Small; a click lists who.

import type { Entry, Event } from '@hubbub/sdk';
import { Icon } from '../components/Icon';
import { useApp } from '../model/state';
import { useActions } from './actions';
import { numberOf, say } from '../words';

export function Ticks({ event, pending, room, direct }: { event: Event; pending: Entry | null; room: string; direct: boolean }) {
  const actions = useActions();
  const reached = useApp((state) => {
    if (pending) return '';
    let [read, delivered] = [0, 0];
    for (const receipt of state.rooms[room]?.receipts.values() ?? []) {
      if (receipt.seq >= event.seq) read++;
      if (receipt.delivered >= event.seq) delivered++;
    }
    return `${read} ${delivered}`;
  });
  const waiting = pending && pending.state !== 'acked';
  const [read = 0, delivered = 0] = reached.split(' ').map(Number);
  const said = waiting ? say(pending.state === 'failed' ? 'ticks.failed' : 'ticks.waiting') : read > 0 ? (direct ? say('ticks.read') : say('ticks.readBy', { people: read })) : say(delivered > 0 ? 'ticks.delivered' : 'ticks.sent');
  return (
    <button type="button" tabIndex={-1} data-ticks={waiting ? 'waiting' : read > 0 ? 'read' : delivered > 0 ? 'delivered' : 'sent'} aria-label={said} title={said} disabled={waiting === true} onClick={(click) => actions.show('receipts', event, click.currentTarget.getBoundingClientRect())} className={`mt-auto md:w-10 flex h-6 w-7 shrink-0 items-center justify-end gap-0.5 text-[0.6875rem] tabular-nums ${read > 0 ? 'text-accent-text' : 'text-ink-3'}`}>
      {!direct && read > 0 && <span aria-hidden="true">{numberOf(read)}</span>}
      <Icon size={15} name={waiting ? (pending.state === 'failed' ? 'alert' : 'clock') : read > 0 || delivered > 0 ? 'checks' : 'check'} />
    </button>
  );
}
