// Making a workspace, and a channel in one.

import { useState, type FormEvent } from 'react';
import { useLocation } from 'wouter';
import { Dialog } from '../components/Dialog';
import { setApp } from '../model/state';
import { useEngine } from '../model/use';
import { useBusy } from './useBusy';
import { say } from '../words';

export function NewWorkspace({ onClose }: { onClose: () => void }) {
  const engine = useEngine();
  const [, go] = useLocation();
  const { busy, error, run } = useBusy();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name')).trim();
    void run(async () => {
      const workspace = await engine.client.create('workspace', { name }, []);
      localStorage.setItem('hubbub.workspace', workspace);
      const general = await engine.client.create('channel', { name: say('workspace.firstChannel'), workspace, public: true }, []);
      setApp({ workspace });
      onClose();
      go(`/r/${general}`);
    });
  };
  return (
    <Dialog title={say('workspace.new')} hint={say('workspace.hint', { channel: `#${say('workspace.firstChannel')}` })} onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <label className="block"><span className="text-sm font-medium">{say('name')}</span><input name="name" className="field mt-1" required maxLength={60} dir="auto" placeholder={say('workspace.example')} data-first /></label>
        {error && <p role="alert" className="text-sm text-danger">{error}</p>}
        <button type="submit" className="btn btn-accent w-full" disabled={busy}>{say('workspace.create')}</button>
      </form>
    </Dialog>
  );
}

export function NewChannel({ workspace, onClose }: { workspace: string; onClose: () => void }) {
  const engine = useEngine();
  const [, go] = useLocation();
  const { busy, error, run } = useBusy();
  const [open, setOpen] = useState(true);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, topic] = ['name', 'topic'].map((field) => String(form.get(field)).trim());
    void run(async () => {
      const room = await engine.client.create('channel', { name: name!.toLowerCase().replace(/\s+/g, '-'), topic: topic!, workspace, public: open }, []);
      onClose();
      go(`/r/${room}`);
    });
  };
  return (
    <Dialog title={say('channel.new')} onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <label className="block"><span className="text-sm font-medium">{say('name')}</span><input name="name" className="field mt-1" required maxLength={60} dir="auto" placeholder={say('channel.example')} data-first /></label>
        <label className="block"><span className="text-sm font-medium">{say('channel.topic')} <i className="font-normal text-ink-3 not-italic">{say('optional')}</i></span><input name="topic" dir="auto" className="field mt-1" maxLength={200} /></label>
        <fieldset className="grid gap-2">
          <legend className="mb-1 text-sm font-medium">{say('channel.who')}</legend>
          {([[true, 'channel.public', 'channel.publicHint'], [false, 'channel.private', 'channel.privateHint']] as const).map(([value, label, hint]) => (
            <label key={String(value)} className="flex cursor-pointer items-start gap-3 rounded-lg border border-line p-3 has-checked:border-accent has-checked:bg-accent-soft">
              <input type="radio" name="open" className="mt-1 accent-(--accent)" checked={open === value} onChange={() => setOpen(value)} />
              <span><span className="block text-sm font-medium">{say(label)}</span><span className="block text-xs text-ink-2">{say(hint)}</span></span>
            </label>
          ))}
        </fieldset>
        {error && <p role="alert" className="text-sm text-danger">{error}</p>}
        <button type="submit" className="btn btn-accent w-full" disabled={busy}>{say('channel.create')}</button>
      </form>
    </Dialog>
  );
}
