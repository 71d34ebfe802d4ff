// Which dialog is open. Loaded when the first one opens.

import { AboutRoom } from './AboutRoom';
import { Browse } from './Browse';
import { Devices } from './Devices';
import { Keys } from './Keys';
import { NewChannel, NewWorkspace } from './NewRoom';
import { Invite, NewMessage } from './NewMessage';
import { Settings } from './Settings';
import { Switcher } from './Switcher';

export type Open =
  | { what: 'people' } | { what: 'switch' } | { what: 'settings' } | { what: 'devices' } | { what: 'keys' } | { what: 'workspace' }
  | { what: 'channel'; workspace: string } | { what: 'browse'; workspace: string } | { what: 'invite'; room: string } | { what: 'room'; room: string };

export default function Dialogs({ open, onOpen, onClose }: { open: Open; onOpen: (open: Open | null) => void; onClose: () => void }) {
  switch (open.what) {
    case 'people': return <NewMessage onClose={onClose} />;
    case 'switch': return <Switcher onClose={onClose} />;
    case 'settings': return <Settings onClose={onClose} />;
    case 'devices': return <Devices onClose={onClose} />;
    case 'keys': return <Keys onClose={onClose} />;
    case 'workspace': return <NewWorkspace onClose={onClose} />;
    case 'channel': return <NewChannel workspace={open.workspace} onClose={onClose} />;
    case 'browse': return <Browse workspace={open.workspace} onClose={onClose} onNew={() => onOpen({ what: 'channel', workspace: open.workspace })} />;
    case 'invite': return <Invite room={open.room} onClose={onClose} />;
    case 'room': return <AboutRoom room={open.room} onClose={onClose} onInvite={() => onOpen({ what: 'invite', room: open.room })} />;
  }
}
