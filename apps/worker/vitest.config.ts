import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['@gatehouse/testing/global-setup'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of them wait for a process or a clock: more than there are processors do no harm.
    maxWorkers: 4,
  },
});
