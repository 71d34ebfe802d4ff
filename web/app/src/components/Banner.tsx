// One line when the connection is away for more than three seconds, or a new version waits. It lies over the page: nothing moves for it.

import { useEffect, useState, type ReactNode } from 'react';
import { useApp } from '../model/state';
import { say } from '../words';

const PATIENCE_MS = 3_000;

export function Banner() {
  const since = useApp((state) => state.awaySince);
  const why = useApp((state) => state.why);
  const update = useApp((state) => state.updateReady);
  const waiting = useApp((state) => state.outbox.filter((entry) => entry.state !== 'failed' && entry.state !== 'acked').length);
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!since) return setLate(false);
    const timer = setTimeout(() => setLate(true), Math.max(0, PATIENCE_MS - (Date.now() - since)));
    return () => clearTimeout(timer);
  }, [since]);
  if (why) return <Over><p role="alert" className={`${PILL} border-loud/40 text-loud`}>{say(`banner.${why}`)}</p></Over>;
  if (late && since) {
    return (
      <Over>
        <p role="status" data-banner="away" className={PILL}>
          <span className="pulse size-2 shrink-0 rounded-full bg-idle" />
          <b className="shrink-0 font-semibold">{say(navigator.onLine ? 'banner.connecting' : 'banner.offline')}</b>
          <span className="min-w-0 text-ink-2">{waiting > 0 ? say('banner.waiting', { count: waiting }) : say('banner.kept')}</span>
        </p>
      </Over>
    );
  }
  if (update) {
    return (
      <Over>
        <p role="status" className={PILL}>
          {say('banner.update')}
          <button type="button" className="pointer-events-auto -my-1 min-h-8 rounded font-semibold text-accent-text hover:underline pointer-coarse:min-h-11" onClick={() => void renew()}>{say('banner.renew')}</button>
        </p>
      </Over>
    );
  }
  return null;
}

const PILL = 'flex max-w-xl items-center gap-2 rounded-full border border-line bg-raised px-4 py-2 text-sm shadow-float';

/** Below the headers, above everything else; the mouse goes through it. */
function Over({ children }: { children: ReactNode }) {
  return <div className="pointer-events-none fixed inset-x-0 top-16 z-40 flex justify-center px-4">{children}</div>;
}

async function renew(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  registration?.waiting?.postMessage('update');
}
