// One's name, the look, the language, and what Enter does.

import { useState } from 'react';
import { Dialog } from '../components/Dialog';
import { LanguageField } from '../components/LanguageField';
import { toast, useApp } from '../model/state';
import { enterSends, setEnterSends, setTheme, theme, type Theme } from '../model/theme';
import { useEngine } from '../model/use';
import { useBusy } from './useBusy';
import { say, type Key } from '../words';

const THEMES = [['system', 'settings.lookSystem'], ['light', 'settings.lookLight'], ['dark', 'settings.lookDark']] as const satisfies readonly [Theme, Key][];

export function Settings({ onClose }: { onClose: () => void }) {
  const engine = useEngine();
  const me = useApp((state) => state.people[state.me]);
  const [name, setName] = useState(me?.display ?? '');
  const [look, setLook] = useState(theme());
  const [sends, setSends] = useState(enterSends());
  const { busy, error, run } = useBusy();
  const save = () => void run(async () => {
    const changed = await engine.client.rest.changeProfile(name.trim());
    engine.people.take([changed ?? { ...me!, display: name.trim() }]);
    toast(say('settings.renamed'));
  });
  return (
    <Dialog title={say('settings.title')} onClose={onClose}>
      <form className="flex items-end gap-2" onSubmit={(event) => { event.preventDefault(); save(); }}>
        <label className="min-w-0 flex-1"><span className="text-sm font-medium">{say('yourName')}</span><input dir="auto" className="field mt-1" maxLength={60} required value={name} onChange={(event) => setName(event.target.value)} /></label>
        <button type="submit" className="btn btn-accent min-h-11" disabled={busy || !name.trim() || name.trim() === me?.display}>{say('save')}</button>
      </form>
      {error && <p role="alert" className="mt-2 text-sm text-danger">{error}</p>}
      <fieldset className="mt-6">
        <legend className="text-sm font-medium">{say('settings.look')}</legend>
        <div className="mt-2 grid grid-cols-3 gap-2">
          {THEMES.map(([value, label]) => (
            <label key={value} className="flex cursor-pointer flex-col gap-2 rounded-lg border border-line p-2 text-center text-xs has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-accent">
              <Preview look={value} />
              <span><input type="radio" name="theme" className="sr-only" checked={look === value} onChange={() => { setTheme(value); setLook(value); }} />{say(label)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <div className="mt-6"><LanguageField /></div>
      <label className="mt-6 flex min-h-11 cursor-pointer items-center gap-3">
        <input type="checkbox" className="size-4 accent-(--accent)" checked={sends} onChange={(event) => { setEnterSends(event.target.checked); setSends(event.target.checked); }} />
        <span><span className="block text-sm font-medium">{say('settings.enter')}</span><span className="block text-xs text-ink-2">{say(sends ? 'settings.enterSends' : 'settings.enterBreaks')}</span></span>
      </label>
    </Dialog>
  );
}

function Preview({ look }: { look: Theme }) {
  const [light, dark] = [['#fdfcfa', '#f4f2ed', '#0b7468'], ['#161b1c', '#101516', '#45c4b2']] as const;
  const half = ([bg, panel, accent]: readonly [string, string, string]) => (
    <span className="flex h-12 flex-1 overflow-hidden" style={{ background: bg }}>
      <i className="w-1/3" style={{ background: panel }} />
      <i className="mt-auto mb-2 ms-1.5 h-1.5 w-1/2 rounded-full" style={{ background: accent }} />
    </span>
  );
  return <span aria-hidden="true" className="flex overflow-hidden rounded-md border border-line">{look !== 'dark' && half(light)}{look !== 'light' && half(dark)}</span>;
}
