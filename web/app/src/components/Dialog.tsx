// A modal dialog: the browser's own, which keeps the focus in, gives it back and closes at Esc.

import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Icon } from './Icon';
import { say } from '../words';

export function Dialog({ title, onClose, children, wide = false, hint }: { title: string; onClose: () => void; children: ReactNode; wide?: boolean; hint?: string }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    // By itself the browser would begin at the button that closes.
    dialog?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={onClose} onClick={(click) => { if (click.target === ref.current) ref.current?.close(); }} className="fixed inset-0 m-auto h-fit max-h-[min(44rem,92dvh)] w-[min(100vw-1.5rem,30rem)] data-wide:w-[min(100vw-1.5rem,40rem)]" data-wide={wide || undefined}>
      <div className="card flex max-h-[inherit] flex-col overflow-hidden">
        <header className="flex items-start gap-3 px-5 pt-4 pb-2">
          <div className="min-w-0 flex-1">
            <h2 id={id} className="text-lg font-semibold tracking-tight">{title}</h2>
            {hint && <p className="text-sm text-ink-2">{hint}</p>}
          </div>
          <button type="button" className="icon-btn -me-2" aria-label={say('close')} onClick={() => ref.current?.close()}><Icon name="close" /></button>
        </header>
        <div className="min-h-0 flex-1 overflow-y-auto px-5 pt-2 pb-5">{children}</div>
      </div>
    </dialog>
  );
}
