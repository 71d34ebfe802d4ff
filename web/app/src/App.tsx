// Which screen: signed out, or the chat; and what lies over both.

import { Component, useState, type ReactNode } from 'react';
import { Toast } from './components/Toast';
import type { Engine } from './model/engine';
import { useApp } from './model/state';
import { EngineContext } from './model/use';
import { Chat } from './screens/Chat';
import type { Open } from './rooms/dialogs';
import { SignIn } from './screens/SignIn';
import { say, useLanguage } from './words';

export function App({ engine }: { engine: Engine }) {
  const phase = useApp((state) => state.phase);
  const [open, setOpen] = useState<Open | null>(null);
  // Another language: everything is drawn anew, but for what was open.
  const language = useLanguage();
  return (
    <EngineContext value={engine}>
      <Broken key={language}>
        {phase === 'boot' ? null : phase === 'out' ? <SignIn /> : <Chat open={open} onOpen={setOpen} />}
        <Toast />
      </Broken>
    </EngineContext>
  );
}

/** A mistake of ours: said plainly, with a way on. What was written is on the disk. */
class Broken extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };
  static getDerivedStateFromError() {
    return { broken: true };
  }
  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <main className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center">
        <h1 className="text-lg font-semibold">{say('broken.title')}</h1>
        <p className="max-w-sm text-sm text-ink-2">{say('broken.text')}</p>
        <button type="button" className="btn btn-accent" onClick={() => location.reload()}>{say('broken.reload')}</button>
      </main>
    );
  }
}
