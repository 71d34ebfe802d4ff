// The tab says how much is unread: a number for mentions and direct messages, a dot for the rest, in the title and the icon.

import { useEffect } from 'react';
import { useLocation } from 'wouter';
import { roomName } from './names';
import { useApp } from './state';
import { useMarks } from './use';

export function useTitle(): void {
  const { unread, mentions } = useMarks();
  const [location] = useLocation();
  const id = /^\/r\/([^/]+)/.exec(location)?.[1];
  const name = useApp((state) => (id && state.rooms[id] ? roomName(state.rooms[id], state.people, state.members[id], state.me) : null));
  useEffect(() => {
    const mark = mentions > 0 ? `(${mentions}) ` : unread > 0 ? '• ' : '';
    document.title = `${mark}${name ? `${name} · ` : ''}Hubbub`;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const state = mentions > 0 ? 'mention' : unread > 0 ? 'unread' : '';
    if (icon && icon.dataset.state !== state) {
      icon.dataset.state = state;
      icon.href = state ? `/icon-${state}.svg` : '/icon.svg';
    }
    if ('setAppBadge' in navigator) void (mentions > 0 ? navigator.setAppBadge(mentions) : navigator.clearAppBadge()).catch(() => undefined);
  }, [unread, mentions, name]);
}
