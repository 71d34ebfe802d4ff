// Where one is signed in, and signing a device out.

import type { Device } from '@hubbub/sdk';
import { useCallback, useEffect, useState } from 'react';
import { Dialog } from '../components/Dialog';
import { Icon } from '../components/Icon';
import { agoOf, exactOf } from '../model/times';
import { useEngine } from '../model/use';
import { say } from '../words';
import { sentence } from '../words/errors';

export function Devices({ onClose }: { onClose: () => void }) {
  const engine = useEngine();
  const [devices, setDevices] = useState<Device[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = useCallback(() => engine.client.rest.devices().then(setDevices).catch((failed: unknown) => setError(sentence(failed))), [engine]);
  useEffect(() => { void load(); }, [load]);
  const revoke = (act: Promise<void>) => act.then(load).catch((failed: unknown) => setError(sentence(failed)));
  const others = (devices ?? []).filter((device) => !device.current);
  return (
    <Dialog title={say('devices.title')} hint={say('devices.hint')} onClose={onClose} wide>
      {error && <p role="alert" className="mb-3 text-sm text-danger">{error}</p>}
      <ul className="divide-y divide-line">
        {!devices && !error && <li className="pulse h-14 rounded-lg bg-pressed" />}
        {devices?.toSorted((a, b) => Number(b.current) - Number(a.current) || b.last_used - a.last_used).map((device) => (
          <li key={device.login} className="flex items-center gap-3 py-3">
            <Icon name="device" className="text-ink-3" />
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium"><bdi>{device.label || say('devices.unnamed')}</bdi>{device.current && <span className="ms-2 rounded bg-accent-soft px-1.5 py-0.5 text-xs font-medium text-accent-text">{say('devices.current')}</span>}</p>
              <p className="text-sm text-ink-2"><bdi>{device.address}</bdi> · <time dateTime={new Date(device.last_used).toISOString()} title={exactOf(device.last_used)}>{agoOf(device.last_used)}</time></p>
            </div>
            {!device.current && <button type="button" className="btn btn-danger" aria-label={say('devices.signOutNamed', { name: device.label || say('devices.unnamed') })} onClick={() => void revoke(engine.client.rest.revoke(device.login))}>{say('me.signOut')}</button>}
          </li>
        ))}
      </ul>
      {others.length > 1 && <button type="button" className="btn btn-danger mt-3 w-full" onClick={() => void revoke((async () => { for (const device of others) await engine.client.rest.revoke(device.login); })())}>{say('devices.signOutOthers')}</button>}
    </Dialog>
  );
}
