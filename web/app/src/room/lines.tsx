// The rows that are no messages: days, "New", what happened in the room, and its beginning.

import type { Event } from '@hubbub/sdk';
import { memo, type ReactNode } from 'react';
import { Avatar, Tile } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { roomName } from '../model/names';
import { useApp } from '../model/state';
import { dayOf, exactOf } from '../model/times';
import type { View } from './useRoom';
import { say } from '../words';
import { listNodes, sayNodes } from '../words/nodes';

export function DayLine({ at }: { at: number }) {
  return (
    <div role="separator" aria-label={dayOf(at)} data-row="day" className="flex items-center gap-3 px-5 pt-4 pb-2 md:px-7">
      <i className="h-px flex-1 bg-line" />
      <time dateTime={new Date(at).toISOString().slice(0, 10)} className="text-xs font-semibold text-ink-2">{dayOf(at)}</time>
      <i className="h-px flex-1 bg-line" />
    </div>
  );
}

export function NewLine() {
  return (
    <div role="separator" aria-label={say('list.newMessages')} data-row="new" className="flex items-center gap-2 px-5 py-1.5 md:px-7">
      <i className="h-px flex-1 bg-loud" />
      <span className="rounded-full bg-loud px-2 text-[0.6875rem] leading-5 font-semibold text-loud-ink">{say('list.new')}</span>
    </div>
  );
}

export const SystemLine = memo(function SystemLine({ event, more, me }: { event: Event; more: readonly Event[]; me: string }) {
  return (
    <p data-row="system" className="px-5 py-1 ps-17 text-sm text-ink-3 md:px-7 md:ps-19"><Said event={event} more={more} me={me} /> <time className="sr-only" dateTime={new Date(event.at).toISOString()}>{exactOf(event.at)}</time></p>
  );
});

const NAMED_MAX = 4;

function Said({ event, more, me }: { event: Event; more: readonly Event[]; me: string }) {
  const { body, user } = event;
  const by = user === me ? 'you' : 'they';
  const bold = (name: ReactNode) => <b className="font-medium text-ink-2">{name}</b>;
  const who = bold(user === me ? say('you.who') : <PersonName id={user} />);
  const whomOf = (user: string) => bold(user === me ? say('you.whom') : <PersonName id={user} />);
  if (body === 'erased') return null;
  if ('created' in body) return sayNodes(`${by}.${body.created.kind === 'channel' ? 'startedChannel' : 'startedTalk'}`, { who });
  if ('settings' in body) {
    const [name, topic] = [body.settings.name, body.settings.topic].map((text) => text && <bdi>{text}</bdi>);
    return name && topic ? sayNodes(`${by}.changedBoth`, { who, name, topic }) : name ? sayNodes(`${by}.changedName`, { who, name })
      : topic ? sayNodes(`${by}.changedTopic`, { who, topic }) : sayNodes(`${by}.changed`, { who });
  }
  if (!('member' in body)) return null;
  const { user: other, role } = body.member;
  if (other === user) return sayNodes(`${by}.${role === null ? 'left' : 'joined'}`, { who });
  if (more.length > 0) {
    const added = [event, ...more].flatMap((each) => (each.body !== 'erased' && 'member' in each.body ? [each.body.member.user] : []));
    const names = added.slice(0, NAMED_MAX).map(whomOf);
    return sayNodes(`${by}.added`, { who, whom: listNodes(added.length > NAMED_MAX ? [...names, say('more', { count: added.length - NAMED_MAX })] : names) });
  }
  const whom = whomOf(other);
  if (role === null) return sayNodes(`${by}.removed`, { who, whom });
  return role === 'member' ? sayNodes(`${by}.added`, { who, whom }) : sayNodes(`${by}.made`, { who, whom, role: say(`role.${role}`) });
}

export function StartOfRoom({ view }: { view: View }) {
  const { state } = view.room;
  const name = useApp((app) => roomName(view.room, app.people, app.members[state.room], app.me));
  return (
    <div className="px-5 pt-10 pb-2 md:px-7">
      {state.kind === 'direct' && state.peer ? <Avatar id={state.peer} size={64} /> : state.kind === 'channel' ? <span className="inline-flex size-14 items-center justify-center rounded-2xl bg-accent-soft text-accent-text"><Icon name={state.settings.public ? 'hash' : 'lock'} size={28} /></span> : <Tile id={state.room} name={name} size={64} round />}
      <h2 dir="auto" className="mt-3 text-start text-xl font-semibold tracking-tight wrap-anywhere">{name}</h2>
      <p className="text-sm text-ink-2 wrap-anywhere">{state.kind === 'direct' ? say('start.direct', { name }) : state.kind === 'channel' ? say('start.channel', { name: `#${name}` }) : say('start.group')}{state.settings.topic ? ` ${state.settings.topic}` : ''}</p>
    </div>
  );
}
