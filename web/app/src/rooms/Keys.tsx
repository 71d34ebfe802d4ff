// The shortcuts, listed.

import { Dialog } from '../components/Dialog';
import { say, type Key } from '../words';
import { sayNodes } from '../words/nodes';

const keys = (ctrl: string, shift: string, enter: string): [string, Exclude<Extract<Key, `keys.${string}`>, 'keys.inList'>][] => [
  [`${ctrl} K / ⌘ K`, 'keys.switch'], ['Alt ↑ ↓', 'keys.rooms'], [`Alt ${shift} ↑ ↓`, 'keys.unread'],
  [enter, 'keys.send'], [`${shift} ${enter}`, 'keys.line'], ['↑', 'keys.edit'], ['@', 'keys.mention'], [':', 'keys.emoji'],
  ['↑ ↓', 'keys.list'], ['R · E · P', 'keys.act'], ['Esc', 'keys.close'], ['?', 'keys.this'],
];

export function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={say('keys.title')} onClose={onClose}>
      <dl className="divide-y divide-line text-sm">
        {keys(say('key.ctrl'), say('key.shift'), say('key.enter')).map(([key, does]) => <div key={key} className="flex items-center justify-between gap-4 py-2"><dt className="text-ink-2">{say(does)}</dt><dd className="rounded-md border border-line bg-panel px-2 py-0.5 text-xs font-medium whitespace-nowrap">{does === 'keys.list' ? sayNodes('keys.inList', { keys: <bdi dir="ltr">{key}</bdi> }) : <bdi dir="ltr">{key}</bdi>}</dd></div>)}
      </dl>
    </Dialog>
  );
}
