// A form that waits for the node: busy while it does, a sentence when it fails.

import { useState } from 'react';
import { sentence } from '../words/errors';

export function useBusy(): { busy: boolean; error: string | null; run: (act: () => Promise<void>) => Promise<void> } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = async (act: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (failed) {
      setError(sentence(failed));
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}
