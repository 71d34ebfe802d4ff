// The quick tools over the message under the mouse or in focus.

import type { Event } from '@hubbub/sdk';
import { recentEmoji } from '../components/EmojiPicker';
import { Icon, type IconName } from '../components/Icon';
import { useApp } from '../model/state';
import { useActions } from './actions';
import { say } from '../words';

export function Tools({ event, mine }: { event: Event; mine: boolean }) {
  const actions = useActions();
  const me = useApp((state) => state.me);
  const quick = recentEmoji().slice(0, 3);
  const button = (name: IconName, label: string, act: (box: DOMRect) => void) => (
    <button type="button" aria-label={label} title={label} className="flex size-8 items-center justify-center rounded-md text-ink-2 hover:bg-hover hover:text-ink" onClick={(click) => act(click.currentTarget.getBoundingClientRect())}><Icon name={name} size={18} /></button>
  );
  return (
    <div role="toolbar" aria-label={say('message.title')} data-user={me} className="absolute -top-4 end-5 z-10 flex rounded-lg border border-line bg-raised p-0.5 shadow-float pointer-coarse:hidden">
      {quick.map((emoji) => <button key={emoji} type="button" aria-label={say('reactWith', { emoji })} className="hidden size-8 items-center justify-center rounded-md text-lg hover:bg-hover sm:flex" onClick={() => actions.react(event, emoji, true)}>{emoji}</button>)}
      {button('smile', say('react'), (box) => actions.show('emoji', event, box))}
      {button('reply', say('reply'), () => actions.reply(event))}
      {mine && button('pen', say('edit'), () => actions.edit(event))}
      {button('more', say('message.more'), (box) => actions.show('menu', event, box))}
    </div>
  );
}
