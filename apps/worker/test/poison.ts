import { testJob } from './work.ts';

export const POISONS = ['throws', 'exits', 'hoards', 'spins'] as const;

/** Few attempts, since the lock of each that takes its process with it has to run out. */
export const poisonJob = testJob({
  name: 'poison',
  retry: { attempts: 2, backoffMs: 50, maxBackoffMs: 50 },
});

/** Beside it in the same queue. It may be lost with a process as well, so it has more attempts. */
export const harmlessJob = testJob({
  name: 'harmless',
  retry: { attempts: 12, backoffMs: 50, maxBackoffMs: 50 },
});
