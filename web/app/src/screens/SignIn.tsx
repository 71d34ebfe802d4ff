// Sign-up and log-in: one screen, two ways.

import { useState, type FormEvent, type ReactNode } from 'react';
import { Logo } from '../components/Icon';
import { sentence } from '../model/engine';
import { useApp } from '../model/state';
import { useEngine } from '../model/use';

export function SignIn() {
  const engine = useEngine();
  const why = useApp((state) => state.why);
  const [mode, setMode] = useState<'login' | 'signup'>(location.pathname === '/signup' ? 'signup' : 'login');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const signup = mode === 'signup';

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, display, password] = ['name', 'display', 'password'].map((field) => String(form.get(field) ?? ''));
    setBusy(true);
    setError(null);
    try {
      if (signup) await engine.signUp(name!.trim().toLowerCase(), display!.trim() || name!.trim(), password!);
      else await engine.logIn(name!.trim().toLowerCase(), password!);
    } catch (failed) {
      setError(sentence(failed));
      setBusy(false);
    }
  };

  return (
    <main className="grid h-full overflow-y-auto bg-bg lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
      <Side />
      <div className="flex min-h-full items-center justify-center px-5 py-10">
        <div className="w-full max-w-sm">
          <div className="mb-8 flex items-center gap-3 lg:hidden"><Logo size={40} /><span className="text-xl font-semibold tracking-tight">Hubbub</span></div>
          <h1 className="text-2xl font-semibold tracking-tight">{signup ? 'Make your account' : 'Welcome back'}</h1>
          <p className="mt-1 text-sm text-ink-2">{signup ? 'One step, then you can write.' : 'Sign in to go on where you left.'}</p>
          {why && !error && <Note>{why}</Note>}
          {error && <Note loud>{error}</Note>}
          <form key={mode} className="mt-6 space-y-4" onSubmit={(event) => void submit(event)}>
            {signup && <Field name="display" label="Your name" hint="What others see. You can change it." autoComplete="name" maxLength={60} />}
            <Field name="name" label="User name" hint={signup ? 'Small letters, digits, dots and dashes.' : undefined} autoComplete="username" autoCapitalize="none" required maxLength={32} pattern="[A-Za-z0-9_.\-]+" />
            <Field name="password" label="Password" hint={signup ? 'At least 8 characters.' : undefined} type="password" autoComplete={signup ? 'new-password' : 'current-password'} required minLength={8} maxLength={256} />
            <button type="submit" className="btn btn-accent w-full" disabled={busy}>{busy ? 'One moment…' : signup ? 'Sign up' : 'Sign in'}</button>
          </form>
          <p className="mt-6 text-sm text-ink-2">
            {signup ? 'Already have an account?' : 'New here?'}{' '}
            <button type="button" className="min-h-11 px-1 font-medium text-accent-text underline-offset-2 hover:underline" onClick={() => { setMode(signup ? 'login' : 'signup'); setError(null); }}>{signup ? 'Sign in' : 'Make an account'}</button>
          </p>
        </div>
      </div>
    </main>
  );
}

function Field({ label, hint, ...input }: { label: string; hint?: string | undefined } & React.ComponentProps<'input'>) {
  return (
    <label className="block">
      <span className="text-sm font-medium">{label}</span>
      <input className="field mt-1" {...input} />
      {hint && <span className="mt-1 block text-xs text-ink-3">{hint}</span>}
    </label>
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
      <svg aria-hidden="true" viewBox="0 0 400 400" className="pointer-events-none absolute -right-40 -bottom-40 size-[32rem] opacity-15"><circle cx="200" cy="200" r="190" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="140" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="90" fill="none" stroke="currentColor" /><circle cx="200" cy="200" r="40" fill="currentColor" /></svg>
    </aside>
  );
}
