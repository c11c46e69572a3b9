import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { startWatchdog } from '../src/watchdog.ts';

/**
 * A process under a watchdog, for its tests: `node watchdog-subject.ts <how> <ms>` with milliseconds until the
 * watchdog ends it when its loop is blocked. It says `ready`, then does what it is told.
 */
const [how = '', limit = ''] = process.argv.slice(2);
const limitMs = Number(limit);
const TICKS = 10;

const HOW: Record<string, () => Promise<void>> = {
  leave: () => Promise.resolve(),
  /**
   * Is stopped between two beats, after the watchdog has looked, and is in the middle of something when it goes on:
   * there was no beat for longer than the limit then. Spins when it is told to.
   */
  async stop() {
    process.once('SIGUSR2', () => block(Number.POSITIVE_INFINITY));
    await delay(limitMs / 3);
    process.kill(process.pid, 'SIGSTOP');
    compute(50);
    process.stdout.write('continued\n');
    await delay(3_600_000);
  },
  async spin() {
    block(Number.POSITIVE_INFINITY);
  },
  /** Longer in all than the limit, with air in between. */
  async bursts() {
    for (let count = 0; count < 8; count += 1) {
      block(limitMs / 3);
      await delay(limitMs / TICKS);
    }
  },
};

const act = HOW[how];
if (act === undefined) throw new Error(`do what? ${how}`);
const log = pino({ base: { app: 'subject', pid: process.pid } });
const beatMs = how === 'stop' ? limitMs / 2 : limitMs / 20;
startWatchdog(log, { beatMs, tickMs: limitMs / TICKS, ticks: TICKS });
process.stdout.write('ready\n');
await act();
process.stdout.write('done\n');

function block(ms: number): void {
  const since = performance.now();
  while (performance.now() - since < ms);
}

/** Takes so many milliseconds of the processor, which do not pass while the process is stopped. */
function compute(ms: number): void {
  const since = process.cpuUsage();
  const spentMs = () => {
    const { user, system } = process.cpuUsage(since);
    return (user + system) / 1_000;
  };
  while (spentMs() < ms);
}
