// Unit tests of the SDK and of the app's model: in plain Node, no browser and no network. The browser's tests are in e2e.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['sdk/test/**/*.test.ts', 'app/test/**/*.test.ts'], environment: 'node' },
});
