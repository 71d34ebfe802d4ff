// What can be done with a message, as one value that rows share: it never changes while a room is open.

import type { Event } from '@hubbub/sdk';
import { createContext, useContext } from 'react';

export interface Actions {
  reply(event: Event): void;
  edit(event: Event): void;
  remove(event: Event): void;
  react(event: Event, emoji: string, on: boolean): void;
  pin(event: Event, on: boolean): void;
  unreadFrom(event: Event): void;
  jump(seq: number, from?: number): void;
  link(event: Event): void;
  copy(event: Event): void;
  retry(cmid: string): void;
  discard(cmid: string): void;
  /** Opens a panel beside `anchor` about this message. */
  show(what: 'emoji' | 'menu' | 'receipts' | 'edits', event: Event, anchor: DOMRect): void;
}

export const ActionsContext = createContext<Actions | null>(null);

export function useActions(): Actions {
  const actions = useContext(ActionsContext);
  if (!actions) throw new Error('outside of a room');
  return actions;
}
