// How the client is built: plain files for the node to serve, nothing inline, nothing from elsewhere.

import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { emoji } from './build/emoji.ts';
import { serviceWorker } from './build/worker.ts';

const node = process.env.HUBBUB_NODE ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), tailwindcss(), emoji(), serviceWorker()],
  resolve: {
    alias: {
      // The browser build of this one writes innerHTML, which Trusted Types refuse.
      'decode-named-character-reference': fileURLToPath(new URL('./src/markdown/entities.ts', import.meta.url)),
    },
  },
  build: {
    target: 'es2023', assetsInlineLimit: 0, sourcemap: false, modulePreload: { polyfill: false }, reportCompressedSize: false,
    rolldownOptions: { output: { chunkFileNames: ({ facadeModuleId }) => `assets/${/\/src\/words\/\w+\.ts$/.test(facadeModuleId ?? '') ? 'words-' : ''}[name]-[hash].js` } },
  },
  worker: { format: 'es' },
  server: { proxy: { '/v1': { target: node, ws: true, changeOrigin: false } } },
});
