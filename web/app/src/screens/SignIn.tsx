// Sign-up and log-in: one screen, two ways. What a name and a password may be is said before; what is wrong is said beside its field.

import { LIMITS } from '@hubbub/sdk';
import { useId, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { Logo } from '../components/Icon';
import { sentence } from '../model/engine';
import { checked, fieldOf, USERNAME_BYTES_MIN, type SignField } from '../model/signup';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';

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
      refuse({ field: signup ? fieldOf(failed) : null, text: sentence(failed) });
    }
  };
  const of = (field: SignField) => ({ name: field, wrong: wrong?.field === field ? wrong.text : undefined });

  return (
    <main className="grid h-full overflow-y-auto bg-bg lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
      <Side />
      <div className="flex min-h-full items-center justify-center px-5 py-10">
        <div className="w-full max-w-sm">
          <div className="mb-8 flex items-center gap-3 lg:hidden"><Logo size={40} /><span className="text-xl font-semibold tracking-tight">Hubbub</span></div>
          <h1 className="text-2xl font-semibold tracking-tight">{signup ? 'Make your account' : 'Welcome back'}</h1>
          <p className="mt-1 text-sm text-ink-2">{signup ? 'One step, then you can write.' : 'Sign in to go on where you left.'}</p>
          {why && !wrong && <Note>{why}</Note>}
          {wrong && !wrong.field && <Note loud>{wrong.text}</Note>}
          <form key={mode} ref={form} noValidate className="mt-6 space-y-4" onSubmit={(event) => void submit(event)}>
            {signup && <Field {...of('display')} label="Your name" hint="What others see. You can change it." autoComplete="name" maxLength={60} />}
            <Field {...of('name')} label="User name" hint={signup ? `${USERNAME_BYTES_MIN} to ${LIMITS.USERNAME_BYTES_MAX} letters a–z, digits, dots, dashes and underscores. It begins with a letter or digit.` : undefined} autoComplete="username" autoCapitalize="none" autoCorrect="off" spellCheck={false} />
            <Field {...of('password')} label="Password" hint={signup ? `At least ${LIMITS.PASSWORD_BYTES_MIN} characters. A few words are better than one odd one.` : undefined} type="password" autoComplete={signup ? 'new-password' : 'current-password'} />
            {signup && invited !== null && <Field name="invite" wrong={undefined} label="Invitation" defaultValue={invited} autoComplete="off" autoCapitalize="none" spellCheck={false} />}
            <button type="submit" className="btn btn-accent w-full" disabled={busy}>{busy ? 'One moment…' : signup ? 'Sign up' : 'Sign in'}</button>
          </form>
          <p className="mt-6 text-sm text-ink-2">
            {signup ? 'Already have an account?' : 'New here?'}{' '}
            <button type="button" className="min-h-11 px-1 font-medium text-accent-text underline-offset-2 hover:underline" onClick={() => { setMode(signup ? 'login' : 'signup'); setWrong(null); }}>{signup ? 'Sign in' : 'Make an account'}</button>
          </p>
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
        <p className="max-w-md text-4xl leading-tight font-semibold tracking-tight text-white">A calm place<br />for a busy team.</p>
        <p className="mt-4 max-w-sm leading-relaxed">Every message arrives, once, in order. On your own server, with nobody looking over your shoulder.</p>
      </div>
      <p className="text-sm">Nothing on this page comes from anyone else.</p>
      <svg aria-hidden="true" viewBox="0 0 400 400" className="pointer-events-none absolute -end-40 -bottom-40 size-[32rem] opacity-15"><circle cx="200" cy="200" r="190" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="140" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="90" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="40" fill="currentColor" /></svg>
    </aside>
  );
}
