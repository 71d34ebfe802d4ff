// What is pinned in a room, wherever in it that is: asked of the node when the list opens and whenever a pin may have changed.
// Without a connection it is what the loaded messages say.

import type { Event, Room } from '@hubbub/sdk';
import { useEffect, useState } from 'react';
import { pinsOf, type Pins } from '../model/pins';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';

const PAGES_MAX = 10;

export function usePins(room: Room) {
  const engine = useEngine();
  const id = room.state.room;
  const connected = useApp((state) => state.connection === 'open');
  const [asked, setAsked] = useState<Pins | null>(null);
  useEffect(() => {
    if (!connected) return;
    let over = false;
    const load = async () => {
      const [events, marks]: [Event[], Event[]] = [[], []];
      let cursor: string | undefined;
      for (let n = 0; n < PAGES_MAX && (n === 0 || cursor); n++) {
        const page = await engine.client.rest.pins(id, cursor);
        events.push(...page.events);
        marks.push(...page.marks);
        cursor = page.cursor;
      }
      if (!over) setAsked({ events, marks });
    };
    const look = () => void load().catch(() => undefined);
    look();
    const stop = engine.client.rooms.on('event', ({ room: where, body }) => {
      if (where === id && body !== 'erased' && ('pin' in body || 'edit' in body || 'delete' in body)) look();
    });
    return () => { over = true; stop(); };
  }, [engine, id, connected]);
  return { pinned: pinsOf(asked, room.log), state: asked ? 'whole' as const : 'loading' as const };
}
