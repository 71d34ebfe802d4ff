// The hooks that screens use to read the store and reach the engine.

import { createContext, useContext, useEffect, useMemo } from 'react';
import type { UserId } from '@hubbub/sdk';
import type { Engine } from './engine';
import { personName } from './names';
import { useApp, type Here } from './state';

export const EngineContext = createContext<Engine | null>(null);

export function useEngine(): Engine {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error('outside of the app');
  return engine;
}

/** A person's name; asks for it when it is not known. */
export function usePerson(id: UserId): string {
  const engine = useEngine();
  const known = useApp((state) => state.people[id] !== undefined);
  useEffect(() => { if (!known) engine.people.want([id]); }, [engine, id, known]);
  return useApp((state) => personName(state.people, id));
}

/** A person's presence, kept up to date while this is mounted. */
export function useHere(id: UserId | null | undefined): Here | undefined {
  const engine = useEngine();
  useEffect(() => (id ? engine.watch.add(id) : undefined), [engine, id]);
  return useApp((state) => (id ? state.here[id] : undefined));
}

export function useMarks(): { unread: number; mentions: number } {
  const rooms = useApp((state) => state.rooms);
  return useMemo(() => {
    let [unread, mentions] = [0, 0];
    for (const { state, log } of Object.values(rooms)) {
      if (state.kind === 'workspace') continue;
      const count = Math.max(0, Math.max(state.ordinal, log.ordinal) - state.read_ordinal) || (state.unread_from != null ? 1 : 0);
      unread += count;
      mentions += state.kind === 'direct' ? count : (state.mentions?.length ?? 0);
    }
    return { unread, mentions };
  }, [rooms]);
}
