// Keys that work everywhere: rooms up and down, the switcher, the list of shortcuts.

import { useEffect } from 'react';
import { useLocation } from 'wouter';
import type { Open } from '../rooms/dialogs';
import { listed, markOf } from './names';
import { getApp } from './state';

export function useKeys(open: (what: Open) => void): void {
  const [location, go] = useLocation();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.isComposing) return;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        return open({ what: 'switch' });
      }
      if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
        event.preventDefault();
        const next = step(/^\/r\/([^/]+)/.exec(location)?.[1], event.key === 'ArrowDown' ? 1 : -1, event.shiftKey);
        if (next) go(`/r/${next}`);
      }
      if (event.key === '?' && !/INPUT|TEXTAREA/.test((event.target as HTMLElement).tagName) && !document.querySelector('dialog[open]')) open({ what: 'keys' });
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [location, go, open]);
}

function step(from: string | undefined, by: 1 | -1, unread: boolean): string | undefined {
  const { rooms, workspace, people, me } = getApp();
  const { channels, talks } = listed(rooms, workspace, people, me);
  const all = [...channels, ...talks];
  const at = all.findIndex((room) => room.state.room === from);
  for (let n = 1; n <= all.length; n++) {
    const room = all[(at + by * n + all.length * 2) % all.length]!;
    if (!unread || markOf(room).unread > 0) return room.state.room;
  }
  return undefined;
}
