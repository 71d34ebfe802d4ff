// Oneself: what one is seen as, settings, sign out.

import type { Status } from '@hubbub/sdk';
import { Avatar, Dot } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { Popover } from '../components/Popover';
import { useApp } from '../model/state';
import { useEngine, usePerson } from '../model/use';
import type { Open } from './dialogs';
import { say } from '../words';

const STATUSES = ['online', 'away', 'busy', 'invisible'] as const satisfies readonly Status[];

export function MeMenu({ anchor, onClose, onOpen }: { anchor: DOMRect; onClose: () => void; onOpen: (open: Open) => void }) {
  const engine = useEngine();
  const me = useApp((state) => state.me);
  const user = useApp((state) => state.people[me]?.name);
  const seen = useApp((state) => state.here[me]?.status ?? 'online');
  // Whoever looks at this is here: offline to others is what they chose.
  const now = seen === 'offline' ? 'invisible' : seen;
  const name = usePerson(me);
  const then = (act: () => void) => () => { onClose(); act(); };
  return (
    <Popover anchor={anchor} onClose={onClose} label={say('me.title')} className="w-64">
      <div className="flex items-center gap-3 px-2.5 py-2">
        <Avatar id={me} size={40} />
        <div className="min-w-0"><p className="truncate font-semibold"><bdi>{name}</bdi></p><p className="truncate text-sm text-ink-2"><bdi>@{user}</bdi></p></div>
      </div>
      <hr className="my-1 border-line" />
      <div role="radiogroup" aria-label={say('me.status')}>
        {STATUSES.map((status) => (
          <button key={status} type="button" role="radio" aria-checked={now === status} className="menu-item" onClick={then(() => engine.client.presence(status))}>
            <Dot status={status} />{say(`me.${status}`)}{now === status && <Icon name="check" size={16} className="ms-auto text-accent-text" />}
          </button>
        ))}
      </div>
      <hr className="my-1 border-line" />
      <button type="button" className="menu-item" onClick={then(() => onOpen({ what: 'settings' }))}><Icon name="gear" size={18} />{say('settings.title')}</button>
      <button type="button" className="menu-item" onClick={then(() => onOpen({ what: 'devices' }))}><Icon name="device" size={18} />{say('devices.title')}</button>
      <button type="button" className="menu-item" onClick={then(() => onOpen({ what: 'keys' }))}><Icon name="more" size={18} />{say('keys.title')}</button>
      <button type="button" className="menu-item text-danger" onClick={then(() => void engine.logOut())}><Icon name="out" size={18} />{say('me.signOut')}</button>
    </Popover>
  );
}
