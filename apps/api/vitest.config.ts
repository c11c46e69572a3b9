import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: '@gatehouse/testing/global-setup',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Many of them wait for a process or a clock: more than there are processors do no harm.
    maxWorkers: 3,
  },
});
