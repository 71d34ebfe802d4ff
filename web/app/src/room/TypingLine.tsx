// Who types now, by name up to three. A line of fixed height, so that nothing moves.

import { personName } from '../model/names';
import { useApp } from '../model/state';
import { say } from '../words';
import { listNodes, sayNodes } from '../words/nodes';

export function TypingLine({ room }: { room: string }) {
  const typing = useApp((state) => state.typing[room]);
  const people = useApp((state) => state.people);
  const names = typing?.users.slice(0, 3).map((user) => <bdi key={user} className="font-medium text-ink">{personName(people, user)}</bdi>) ?? [];
  const more = typing ? typing.count - names.length : 0;
  return (
    <div aria-live="polite" data-typing={typing ? '' : undefined} className="flex h-6 shrink-0 items-center gap-2 px-5 text-xs text-ink-2 md:px-7">
      {typing && names.length > 0 && (
        <>
          <span aria-hidden="true" className="flex gap-0.5">{[0, 1, 2].map((n) => <i key={n} className="dot size-1 rounded-full bg-ink-3" />)}</span>
          <span className="truncate">{sayNodes('typing', { names: listNodes(more > 0 ? [...names, say('more', { count: more })] : names), count: typing.count })}</span>
        </>
      )}
    </div>
  );
}
