// The side panel: members, or what is pinned. Over the room on a narrow page.

import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { plain } from '../markdown/parse';
import { personName } from '../model/names';
import { timeOf } from '../model/rows';
import { useApp } from '../model/state';
import { briefOf } from '../model/times';
import type { Open } from '../rooms/dialogs';
import { useActions } from './actions';
import type { PanelName } from './Header';
import { Members } from './Members';
import { usePins } from './usePins';
import type { View } from './useRoom';
import { say } from '../words';

export default function Panel({ view, panel, onClose, onOpen }: { view: View; panel: PanelName; onClose: () => void; onOpen: (open: Open) => void }) {
  return (
    <aside aria-label={say(panel === 'members' ? 'members' : 'pins.title')} className="absolute inset-0 z-20 flex flex-col border-s border-line bg-panel lg:static lg:w-72 lg:shrink-0">
      <header className="flex h-14 shrink-0 items-center border-b border-line pe-2 ps-4">
        <h2 className="flex-1 font-semibold">{say(panel === 'members' ? 'members' : 'pins.title')}</h2>
        {panel === 'members' && view.room.state.kind !== 'direct' && <button type="button" className="icon-btn" aria-label={say('invite.people')} onClick={() => onOpen({ what: 'invite', room: view.room.state.room })}><Icon name="plus" /></button>}
        <button type="button" className="icon-btn" aria-label={say('panel.close')} onClick={onClose}><Icon name="close" /></button>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto p-2">{panel === 'members' ? <Members view={view} /> : <Pins view={view} />}</div>
    </aside>
  );
}

function Pins({ view }: { view: View }) {
  const actions = useActions();
  const people = useApp((state) => state.people);
  const connected = useApp((state) => state.connection === 'open');
  const { pinned, state } = usePins(view.room);
  const empty = <div className="px-6 py-10 text-center"><span className="mx-auto flex size-12 items-center justify-center rounded-2xl bg-accent-soft text-accent-text"><Icon name="pin" size={22} /></span><p className="mt-3 font-semibold">{say('pins.empty')}</p><p className="mt-1 text-sm text-ink-2">{say('pins.emptyHint')}</p></div>;
  return (
    <>
      {state === 'loading' && connected && pinned.length === 0 && <div role="status" aria-label={say('loading')} className="pulse m-2 h-24 rounded-lg bg-pressed" />}
      {state !== 'whole' && !connected && <p role="status" className="p-2.5 text-sm text-ink-2">{say('pins.offline')}</p>}
      {state === 'whole' && pinned.length === 0 && empty}
      <ul className="space-y-1">
        {pinned.map(({ event, text }) => (
          <li key={event.seq}>
            <button type="button" data-pin={event.seq} className="w-full rounded-lg p-2.5 text-start text-sm hover:bg-hover" onClick={() => actions.jump(event.seq)}>
              <span className="flex items-baseline gap-2"><b className="truncate font-semibold"><PersonName id={event.user} /></b><span className="text-xs text-ink-3">{briefOf(timeOf(event))}</span></span>
              <span dir="auto" className="line-clamp-3 text-start">{plain(text, (id) => personName(people, id))}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
