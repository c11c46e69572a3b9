import { expect, it } from 'vitest';
import { reportLines } from './report.ts';
import { runSuite } from './suite.ts';

/** Those that the stack recovers from within seconds: `npm run test:faults` has the others, and more time. */
const QUICK_FAULTS = [
  'flush-redis',
  'kill-api',
  'cut-postgres',
  'empty-redis',
  'flush-and-kill-workers',
];
const SECONDS = 12;
const SEED = 3;
/** More than everything in it may take: a run that is cut off leaves its processes behind. */
const TIMEOUT_MS = 480_000;

it(
  'loses nothing and does nothing twice while gateways and workers die and Redis forgets',
  async () => {
    const said: string[] = [];
    const report = await runSuite({
      seed: SEED,
      seconds: SECONDS,
      faults: QUICK_FAULTS,
      calm: false,
      say: (line) => said.push(line),
      signal: new AbortController().signal,
    });
    const replay = `npm run test:faults -- --seed ${SEED} --seconds ${SECONDS} --faults ${QUICK_FAULTS}`;
    const story = [...said, ...reportLines(report, replay)].join('\n');
    expect(report.findings, story).toEqual([]);
    expect(report.injected.length, story).toBeGreaterThanOrEqual(2);
    expect(report.tally.accepted, story).toBeGreaterThan(50);
    expect(report.tally.deposits, story).toBeGreaterThan(3);
    expect(report.tally.effects, story).toBe(report.tally.accepted);
  },
  TIMEOUT_MS,
);
