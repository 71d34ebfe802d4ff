// The browser's tests: the real node (HUBBUB_BIN), the built client, Chromium. One file after another, since a browser and a node share few cores.
// Node 20 has a WebSocket, behind a flag.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['tests/**/*.test.ts'], environment: 'node', fileParallelism: false, execArgv: ['--experimental-websocket'], testTimeout: 60_000, hookTimeout: 60_000, retry: 0 },
});
