import { pino } from 'pino';
import { readConfig } from '../src/config.ts';
import { startWatchdog } from '../src/watchdog.ts';
import { startWorker } from '../src/worker.ts';
import { harmlessJob, poisonJob } from './poison.ts';
import { testQuotes } from './quotes.ts';
import { justSettle, testWork } from './work.ts';

/** A worker process, under a watchdog of little patience, that does what the title of its job says. */
const log = pino({ level: 'silent' });
startWatchdog(log, { beatMs: 50, tickMs: 100, ticks: 30 });
await startWorker(readConfig(), {
  quotes: testQuotes(),
  broker: null,
  log,
  work: testWork(
    [
      poisonJob,
      async (title) => {
        process.stdout.write(`${title}\n`);
        if (title === 'exits') process.exit(1);
        if (title === 'throws') throw new Error('poison');
        const hoard: number[][] = [];
        while (title === 'spins' || hoard.length < Number.MAX_SAFE_INTEGER) {
          if (title === 'hoards') hoard.push(Array.from({ length: 100_000 }, Math.random));
        }
      },
    ],
    [
      harmlessJob,
      async (_, context) => {
        await justSettle(context);
      },
    ],
  ),
});
