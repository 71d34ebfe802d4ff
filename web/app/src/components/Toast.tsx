// One short sentence at the foot of the page, read out, gone after a few seconds.

import { useEffect } from 'react';
import { setApp, useApp } from '../model/state';

export function Toast() {
  const toast = useApp((state) => state.toast);
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => setApp({ toast: null }), 5_000);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-0 bottom-20 z-50 flex justify-center px-4">
      {toast && <p className="max-w-md rounded-lg bg-ink px-4 py-2.5 text-sm text-bg shadow-float">{toast.text}</p>}
    </div>
  );
}
