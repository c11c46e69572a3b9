import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: '@gatehouse/testing/global-setup',
    // Of processes that start and die, on a machine that has other work.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    // Many of them wait for a process or a clock: more than there are processors do no harm.
    maxWorkers: 3,
  },
});
