// One line over the page when the connection is away for more than two seconds, or a new version waits.

import { useEffect, useState } from 'react';
import { useApp } from '../model/state';

const PATIENCE_MS = 2_000;

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
  if (why) return <p role="alert" className="bg-loud-soft px-4 py-1.5 text-center text-sm text-loud">{why}</p>;
  if (late && since) {
    return (
      <p role="status" data-banner="away" className="flex items-center justify-center gap-2 bg-accent-soft px-4 py-1.5 text-center text-sm text-accent-text">
        <span className="pulse size-2 rounded-full bg-current" />
        {navigator.onLine ? 'Connecting…' : 'You are offline.'} {waiting > 0 ? `${waiting} ${waiting === 1 ? 'message goes' : 'messages go'} out when you are back.` : 'You can read and write; it goes out when you are back.'}
      </p>
    );
  }
  if (update) {
    return (
      <p role="status" className="flex items-center justify-center gap-3 bg-accent-soft px-4 py-1 text-sm text-accent-text">
        A new version is here.
        <button type="button" className="min-h-8 font-medium underline underline-offset-2" onClick={() => void renew()}>Use it now</button>
      </p>
    );
  }
  return null;
}

async function renew(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  registration?.waiting?.postMessage('update');
}
