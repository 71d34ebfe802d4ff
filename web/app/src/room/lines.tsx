// The rows that are no messages: days, "New", what happened in the room, and its beginning.

import type { Event } from '@hubbub/sdk';
import { Fragment, memo } from 'react';
import { Avatar, Tile } from '../components/Avatar';
import { Icon } from '../components/Icon';
import { PersonName } from '../components/PersonName';
import { roomName } from '../model/names';
import { useApp } from '../model/state';
import { dayOf, exactOf } from '../model/times';
import type { View } from './useRoom';

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
    <div role="separator" aria-label="New messages" data-row="new" className="flex items-center gap-2 px-5 py-1.5 md:px-7">
      <i className="h-px flex-1 bg-loud" />
      <span className="rounded-full bg-loud px-2 text-[0.6875rem] leading-5 font-semibold text-loud-ink">New</span>
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
  const who = <b className="font-medium text-ink-2">{user === me ? 'You' : <PersonName id={user} />}</b>;
  if (body === 'erased') return null;
  if ('created' in body) return <>{who} started this {body.created.kind === 'channel' ? 'channel' : 'conversation'}</>;
  if ('settings' in body) return <>{who} changed the room{body.settings.name ? <> to “{body.settings.name}”</> : null}{body.settings.topic ? <>: {body.settings.topic}</> : null}</>;
  if (!('member' in body)) return null;
  const whom = <b className="font-medium text-ink-2">{body.member.user === me ? 'you' : <PersonName id={body.member.user} />}</b>;
  if (body.member.user === user) return body.member.role === null ? <>{who} left</> : <>{who} joined</>;
  if (more.length > 0) {
    const added = [event, ...more].flatMap((each) => (each.body !== 'erased' && 'member' in each.body ? [each.body.member.user] : []));
    const names = added.slice(0, NAMED_MAX).map((user, i) => <Fragment key={user}>{i > 0 && ', '}<b className="font-medium text-ink-2">{user === me ? 'you' : <PersonName id={user} />}</b></Fragment>);
    return <>{who} added {names}{added.length > NAMED_MAX && ` and ${added.length - NAMED_MAX} more`}</>;
  }
  return body.member.role === null ? <>{who} removed {whom}</> : body.member.role === 'member' ? <>{who} added {whom}</> : <>{who} made {whom} {body.member.role}</>;
}

export function StartOfRoom({ view }: { view: View }) {
  const { state } = view.room;
  const name = useApp((app) => roomName(view.room, app.people, app.members[state.room], app.me));
  return (
    <div className="px-5 pt-10 pb-2 md:px-7">
      {state.kind === 'direct' && state.peer ? <Avatar id={state.peer} size={64} /> : state.kind === 'channel' ? <span className="inline-flex size-14 items-center justify-center rounded-2xl bg-accent-soft text-accent-text"><Icon name={state.settings.public ? 'hash' : 'lock'} size={28} /></span> : <Tile id={state.room} name={name} size={64} round />}
      <h2 className="mt-3 text-xl font-semibold tracking-tight">{name}</h2>
      <p className="text-sm text-ink-2">{state.kind === 'direct' ? `This is where your conversation with ${name} starts.` : state.kind === 'channel' ? `This is the very start of #${name}.` : 'This is where the group starts.'}{state.settings.topic ? ` ${state.settings.topic}` : ''}</p>
    </div>
  );
}
