// A person or a room as initials on a colour that stays with its id; with a presence dot where that is shown.

import type { Status } from '@hubbub/sdk';
import { hueOf, initials } from '../model/names';
import { useHere, usePerson } from '../model/use';
import { say } from '../words';

const SIZES = { 20: 'size-5 text-[0.5rem]', 24: 'size-6 text-[0.625rem]', 32: 'size-8 text-xs', 36: 'size-9 text-sm', 40: 'size-10 text-sm', 64: 'size-16 text-xl' } as const;

export function Tile({ id, name, size = 36, round = false }: { id: string; name: string; size?: keyof typeof SIZES; round?: boolean }) {
  return (
    <span aria-hidden="true" style={{ background: `oklch(var(--avatar-l) 0.1 ${hueOf(id)})` }} className={`initials inline-flex shrink-0 items-center justify-center font-semibold text-white select-none ${round ? 'rounded-full' : size > 24 ? 'rounded-[28%]' : 'rounded-[26%]'} ${SIZES[size]}`} data-initials={initials(name)} />
  );
}

export function Avatar({ id, size = 36, dot = false, ring = 'ring-bg' }: { id: string; size?: keyof typeof SIZES; dot?: boolean; ring?: string }) {
  const name = usePerson(id);
  return (
    <span className="relative inline-flex shrink-0">
      <Tile id={id} name={name} size={size} />
      {dot && <LiveDot id={id} className={`absolute ring-2 ${size === 24 ? '-end-1 -bottom-1' : '-end-0.5 -bottom-0.5'} ${ring}`} />}
    </span>
  );
}

export const statusOf = (status: Status): string => say(`status.${status === 'invisible' ? 'offline' : status}`);
const LOOK: Record<Status, string> = { online: 'bg-here', idle: 'bg-idle', away: 'bg-idle', busy: 'bg-busy', invisible: 'bg-panel border-2 border-ink-3', offline: 'bg-panel border-2 border-ink-3' };

export function Dot({ status, className = '' }: { status: Status; className?: string }) {
  return <span role="img" aria-label={statusOf(status)} data-status={status} className={`inline-block size-2.5 shrink-0 rounded-full ${LOOK[status]} ${className}`} />;
}

export function LiveDot({ id, className }: { id: string; className?: string }) {
  const here = useHere(id);
  return <Dot status={here?.status ?? 'offline'} className={className} />;
}
