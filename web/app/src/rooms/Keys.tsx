// The shortcuts, listed.

import { Dialog } from '../components/Dialog';

const KEYS: [string, string][] = [
  ['Ctrl K / ⌘ K', 'Jump to a room or a person'], ['Alt ↑ ↓', 'Room above or below'], ['Alt Shift ↑ ↓', 'Unread room above or below'],
  ['Enter', 'Send'], ['Shift Enter', 'New line'], ['↑', 'Edit your last message'], ['@', 'Name somebody'], [':', 'Emoji by name'],
  ['↑ ↓ in the list', 'Message above or below'], ['R · E · P', 'Reply to, react to or pin the message in focus'], ['Esc', 'Close, cancel, then jump to the latest'], ['?', 'This list'],
];

export function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="divide-y divide-line text-sm">
        {KEYS.map(([key, does]) => <div key={key} className="flex items-center justify-between gap-4 py-2"><dt className="text-ink-2">{does}</dt><dd className="rounded-md border border-line bg-panel px-2 py-0.5 text-xs font-medium whitespace-nowrap">{key}</dd></div>)}
      </dl>
    </Dialog>
  );
}
