// Sign-up and log-in: one screen, two ways. What a name and a password may be is said before; what is wrong is said beside its field.

import { LIMITS } from '@hubbub/sdk';
import { useId, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { Logo } from '../components/Icon';
import { LanguageField } from '../components/LanguageField';
import { checked, fieldOf, USERNAME_BYTES_MIN, type SignField } from '../model/signup';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';
import { say } from '../words';
import { sentence } from '../words/errors';

interface Wrong { field: SignField | null; text: string }

export function SignIn() {
  const engine = useEngine();
  const why = useApp((state) => state.why);
  const invited = new URLSearchParams(location.search).get('invite');
  const [mode, setMode] = useState<'login' | 'signup'>(location.pathname === '/signup' || invited ? 'signup' : 'login');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const signup = mode === 'signup';

  const refuse = (found: Wrong) => {
    setWrong(found);
    setBusy(false);
    if (found.field) form.current?.querySelector<HTMLInputElement>(`[name="${found.field}"]`)?.focus();
  };
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [name, display, password] = ['name', 'display', 'password'].map((field) => String(data.get(field) ?? '')) as [string, string, string];
    const found = checked({ name: name.trim(), display: display.trim(), password }, signup);
    if (found) return refuse(found);
    setBusy(true);
    setWrong(null);
    try {
      if (signup) await engine.signUp(name.trim().toLowerCase(), display.trim() || name.trim(), password, String(data.get('invite') ?? '').trim() || undefined);
      else await engine.logIn(name.trim().toLowerCase(), password);
    } catch (failed) {
      refuse({ field: signup ? fieldOf(failed) : null, text: signup && (failed as { code?: string }).code === 'forbidden' ? say('error.invitation') : sentence(failed) });
    }
  };
  const of = (field: SignField) => ({ name: field, wrong: wrong?.field === field ? wrong.text : undefined });

  return (
    <main className="grid h-full overflow-y-auto bg-bg lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
      <Side />
      <div className="flex min-h-full items-center justify-center px-5 py-10">
        <div className="w-full max-w-sm">
          <div className="mb-8 flex items-center gap-3 lg:hidden"><Logo size={40} /><span className="text-xl font-semibold tracking-tight">Hubbub</span></div>
          <h1 className="text-2xl font-semibold tracking-tight">{say(signup ? 'sign.upTitle' : 'sign.inTitle')}</h1>
          <p className="mt-1 text-sm text-ink-2">{say(signup ? 'sign.upText' : 'sign.inText')}</p>
          {why && !wrong && <Note>{say(`banner.${why}`)}</Note>}
          {wrong && !wrong.field && <Note loud>{wrong.text}</Note>}
          <form key={mode} ref={form} noValidate className="mt-6 space-y-4" onSubmit={(event) => void submit(event)}>
            {signup && <Field {...of('display')} label={say('yourName')} hint={say('sign.displayHint')} dir="auto" autoComplete="name" maxLength={60} />}
            <Field {...of('name')} label={say('sign.userName')} hint={signup ? say('sign.nameHint', { least: USERNAME_BYTES_MIN, most: LIMITS.USERNAME_BYTES_MAX }) : undefined} dir="ltr" autoComplete="username" autoCapitalize="none" autoCorrect="off" spellCheck={false} />
            <Field {...of('password')} label={say('sign.password')} hint={signup ? say('sign.passwordHint', { least: LIMITS.PASSWORD_BYTES_MIN }) : undefined} dir="ltr" type="password" autoComplete={signup ? 'new-password' : 'current-password'} />
            {signup && invited !== null && <Field name="invite" wrong={undefined} label={say('sign.invitation')} dir="ltr" defaultValue={invited} autoComplete="off" autoCapitalize="none" spellCheck={false} />}
            <button type="submit" className="btn btn-accent w-full" disabled={busy}>{say(busy ? 'sign.busy' : signup ? 'sign.up' : 'sign.in')}</button>
          </form>
          <p className="mt-6 text-sm text-ink-2">
            {say(signup ? 'sign.haveAccount' : 'sign.isNew')}{' '}
            <button type="button" className="min-h-11 px-1 font-medium text-accent-text underline-offset-2 hover:underline" onClick={() => { setMode(signup ? 'login' : 'signup'); setWrong(null); }}>{say(signup ? 'sign.in' : 'sign.make')}</button>
          </p>
          <div className="mt-8 max-w-60"><LanguageField /></div>
        </div>
      </div>
    </main>
  );
}

function Field({ label, hint, wrong, ...input }: { label: string; hint?: string | undefined; wrong: string | undefined } & React.ComponentProps<'input'>) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="text-sm font-medium">{label}</label>
      <input id={id} className="field mt-1 aria-invalid:border-danger" aria-invalid={wrong ? true : undefined} aria-describedby={`${id}-hint ${id}-wrong`} {...input} />
      {hint && <p id={`${id}-hint`} className="mt-1 text-xs text-ink-2">{hint}</p>}
      <p id={`${id}-wrong`} role="alert" className="text-sm text-danger empty:hidden">{wrong}</p>
    </div>
  );
}

function Note({ children, loud = false }: { children: ReactNode; loud?: boolean }) {
  return <p role={loud ? 'alert' : 'status'} className={`mt-4 rounded-lg px-3 py-2 text-sm ${loud ? 'bg-loud-soft text-loud' : 'bg-accent-soft text-accent-text'}`}>{children}</p>;
}

function Side() {
  return (
    <aside className="relative hidden flex-col justify-between overflow-hidden bg-rail p-12 text-rail-ink lg:flex">
      <div className="flex items-center gap-3"><Logo size={40} /><span className="text-xl font-semibold tracking-tight text-white">Hubbub</span></div>
      <div>
        <p className="max-w-md text-4xl leading-tight font-semibold tracking-tight whitespace-pre-line text-white">{say('side.title')}</p>
        <p className="mt-4 max-w-sm leading-relaxed">{say('side.text')}</p>
      </div>
      <p className="text-sm">{say('side.foot')}</p>
      <svg aria-hidden="true" viewBox="0 0 400 400" className="pointer-events-none absolute -end-40 -bottom-40 size-[32rem] opacity-15"><circle cx="200" cy="200" r="190" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="140" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="90" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="40" fill="currentColor" /></svg>
    </aside>
  );
}
