// Where one writes. Text is safe at every key: kept here at once, on other devices a moment later.

import { marksOf, type Event } from '@hubbub/sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { EmojiPicker } from '../components/EmojiPicker';
import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { Popover } from '../components/Popover';
import { plain } from '../markdown/parse';
import { fromWire, toWire, type Pick } from '../model/compose';
import { personName, roomName } from '../model/names';
import { getApp, toast, useApp } from '../model/state';
import { enterSends } from '../model/theme';
import { useEngine } from '../model/use';
import { Completion, useCompletion } from './Completion';
import { useDraft } from './useDraft';
import type { View } from './useRoom';
import { say } from '../words';
import { sentence } from '../words/errors';
import { sayNodes } from '../words/nodes';

export type Mode = { kind: 'reply'; event: Event } | { kind: 'edit'; event: Event } | null;

const TEXT_BYTES_MAX = 16 * 1024;

export function Composer({ view, mode, onMode, onSent, onEditLast }: { view: View; mode: Mode; onMode: (mode: Mode) => void; onSent: () => void; onEditLast: () => void }) {
  const engine = useEngine();
  const { room } = view;
  const id = room.state.room;
  const field = useRef<HTMLTextAreaElement>(null);
  const picks = useRef<Pick[]>([]);
  const [text, setText] = useState('');
  const [emoji, setEmoji] = useState<DOMRect | null>(null);
  const name = useApp((state) => roomName(room, state.people, state.members[id], state.me));
  const editing = mode?.kind === 'edit';
  const show = useCallback((wire: string) => {
    const shown = fromWire(wire, getApp().people);
    picks.current = shown.picks;
    setText(shown.text);
  }, []);
  const wire = () => toWire(text, picks.current);
  const draft = useDraft(id, editing, show);
  const completion = useCompletion(field, text, setText, picks, id);

  useEffect(() => {
    if (mode?.kind === 'edit') {
      const { event } = mode;
      const now = getApp().rooms[id];
      const last = now ? marksOf(now.log, event.seq).edits.at(-1)?.text : undefined;
      show(last ?? (event.body !== 'erased' && 'message' in event.body ? event.body.message.text : ''));
    }
    if (mode || matchMedia('(pointer: fine)').matches) field.current?.focus();
    if (mode?.kind === 'edit') requestAnimationFrame(() => field.current?.setSelectionRange(1e6, 1e6));
    return () => { if (mode?.kind === 'edit') show(draft.current()); };
  }, [mode, id, show, draft]);

  const change = (value: string) => {
    setText(value);
    if (editing) return;
    draft.change(toWire(value, picks.current));
    engine.client.typing(id, value.trim() !== '');
  };

  const send = () => {
    const said = wire().trim();
    if (!said) return;
    if (new TextEncoder().encode(said).length > TEXT_BYTES_MAX) return toast(say('composer.tooLong'));
    const fail = (error: unknown) => toast(sentence(error));
    if (mode?.kind === 'edit') {
      void engine.client.edit(id, mode.event.seq, said).catch(fail);
      return onMode(null);
    }
    void engine.client.post(id, said, mode?.kind === 'reply' ? mode.event.seq : undefined).catch(fail);
    engine.client.typing(id, false);
    draft.clear();
    picks.current = [];
    setText('');
    onMode(null);
    onSent();
  };

  const onKey = (event: React.KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (completion.onKey(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && (enterSends() ? true : event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
    if (event.key === 'ArrowUp' && text === '' && !mode) {
      event.preventDefault();
      onEditLast();
    }
  };

  const insert = (piece: string) => {
    const at = field.current?.selectionStart ?? text.length;
    completion.due.current = at + piece.length;
    change(text.slice(0, at) + piece + text.slice(field.current?.selectionEnd ?? at));
  };

  if (room.state.settings.archived) return <p className="mx-5 mb-4 rounded-lg bg-panel p-3 text-center text-sm text-ink-2">{say('composer.archived')}</p>;
  return (
    <div className="shrink-0 px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] md:px-5 md:pb-5">
      <div className="relative rounded-xl border border-line bg-raised transition-colors focus-within:border-accent">
        <Completion completion={completion} />
        {mode && <ModeLine mode={mode} onClose={() => onMode(null)} />}
        <div className="flex items-end gap-1 p-1">
          <button type="button" className="icon-btn" aria-label={say('emoji')} onClick={(event) => setEmoji(event.currentTarget.getBoundingClientRect())}><Icon name="smile" /></button>
          <textarea
            ref={field} rows={1} dir="auto" value={text} onChange={(event) => change(event.target.value)} onKeyDown={onKey} onSelect={completion.look} onBlur={() => draft.leave()}
            aria-label={editing ? say('composer.edit') : say('composer.message', { name })} placeholder={editing ? say('composer.edit') : say('composer.message', { name: `${room.state.kind === 'channel' ? '#' : ''}${name}` })}
            aria-autocomplete="list" aria-controls={completion.open ? completion.id : undefined} aria-activedescendant={completion.open ? `${completion.id}-${completion.at}` : undefined}
            enterKeyHint={enterSends() ? 'send' : 'enter'} spellCheck className="composer-text max-h-[40dvh] min-h-9 min-w-0 flex-1 bg-transparent px-1 py-1.5 leading-6 outline-none placeholder:text-ink-3 pointer-coarse:min-h-11 pointer-coarse:py-2.5"
          />
          <button type="button" aria-label={say(editing ? 'save' : 'composer.send')} disabled={!text.trim()} onPointerDown={(event) => event.preventDefault()} onClick={send} className="flex size-9 shrink-0 items-center justify-center rounded-lg bg-accent text-accent-ink transition-colors hover:bg-accent-hover disabled:bg-transparent disabled:text-ink-3 pointer-coarse:size-11"><Icon name={editing ? 'check' : 'send'} /></button>
        </div>
      </div>
      {emoji && <Popover anchor={emoji} onClose={() => setEmoji(null)} label={say('emoji')}><EmojiPicker onPick={(picked) => { setEmoji(null); insert(picked); }} /></Popover>}
    </div>
  );
}

function ModeLine({ mode, onClose }: { mode: NonNullable<Mode>; onClose: () => void }) {
  const people = useApp((state) => state.people);
  const { event } = mode;
  const text = event.body !== 'erased' && 'message' in event.body ? plain(event.body.message.text, (id) => personName(people, id)) : '';
  return (
    <div className="flex min-h-11 items-center gap-2 border-b border-line pe-1 ps-3 text-sm">
      <Icon name={mode.kind === 'edit' ? 'pen' : 'reply'} size={16} className="text-accent-text" />
      <span className="shrink-0 font-medium">{mode.kind === 'edit' ? say('composer.editing') : sayNodes('composer.replyTo', { name: <PersonName id={event.user} /> })}</span>
      <span dir="auto" className="min-w-0 flex-1 truncate text-ink-2">{text}</span>
      <button type="button" className="icon-btn" aria-label={say(mode.kind === 'edit' ? 'composer.stopEditing' : 'composer.stopReply')} onClick={onClose}><Icon name="close" size={18} /></button>
    </div>
  );
}
