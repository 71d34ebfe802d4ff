// Writes `sw.js` beside the built files: the shell is kept, so that the app opens without a network. Answers of the node are never kept.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

export function serviceWorker(): Plugin {
  return {
    name: 'hubbub-service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const lazy = /emoji|fold|cyrillic|greek|vietnamese|latin-ext/;
      const files = Object.keys(bundle).filter((name) => !lazy.test(name) && !name.endsWith('.map') && name !== 'index.html').map((name) => `/${name}`);
      const shell = ['/', ...files, '/icon.svg', '/manifest.webmanifest'].sort();
      const source = readFileSync(new URL('./sw.js', import.meta.url), 'utf8');
      const version = createHash('sha256').update(shell.join()).update(source).digest('hex').slice(0, 12);
      this.emitFile({
        type: 'asset',
        fileName: 'sw.js',
        source: source.replace('__VERSION__', version).replace("'__SHELL__'", JSON.stringify(shell)),
      });
    },
  };
}
