import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from './launch.ts';

export interface SuperviseOptions<S extends Service> {
  /** How notices call it. */
  name: string;
  /** Starts it and waits until it is ready; cleans up after itself when it throws or when the signal fires. */
  start: (signal: AbortSignal) => Promise<S>;
  /** Called whenever a successor of a service that died is ready. */
  onChange?: () => void;
  /** Takes a line when it dies and when it cannot be started again. */
  notice?: (line: string) => void;
  /** From when it fires, nothing is started any more; what runs is left to {@link Supervised.stop}. */
  signal?: AbortSignal;
  backoff?: Partial<Backoff>;
}

export interface Backoff {
  firstMs: number;
  factor: number;
  maxMs: number;
  /** Having run this long, it begins with `firstMs` again. */
  healthyAfterMs: number;
}

export interface Supervised<S extends Service> {
  /** The one that runs, or that ran last while a successor is being started. */
  readonly current: S;
  /** Ends it for good. */
  stop(): Promise<void>;
  /** Ends it at once, without giving it time. */
  kill(): void;
}

const BACKOFF: Backoff = { firstMs: 100, factor: 2, maxMs: 10_000, healthyAfterMs: 10_000 };

/**
 * Starts a service, and starts it again each time it ends by itself.
 *
 * @throws what `start` throws the first time; after that it is tried for ever.
 */
export async function supervise<S extends Service>(
  options: SuperviseOptions<S>,
): Promise<Supervised<S>> {
  const { name, start, notice = () => undefined, onChange = () => undefined } = options;
  const backoff = { ...BACKOFF, ...options.backoff };
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, ...(options.signal ? [options.signal] : [])]);
  let current = await start(signal);
  let pauseMs = backoff.firstMs;

  const loop = (async () => {
    while (true) {
      const readyAt = performance.now();
      const how = await ended(current);
      if (signal.aborted) return;
      if (performance.now() - readyAt >= backoff.healthyAfterMs) pauseMs = backoff.firstMs;
      notice(`${name} (process ${current.pid}) ended with ${how}: starting it again`);
      const next = await successor();
      if (!next) return;
      current = next;
      // It became ready in the moment in which it was to be stopped: nobody would end it while this waits for its end.
      if (signal.aborted) return;
      onChange();
    }
  })();

  /** Null when it is being stopped instead. */
  async function successor(): Promise<S | null> {
    while (true) {
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * backoff.factor, backoff.maxMs);
      if (signal.aborted) return null;
      try {
        return await start(signal);
      } catch (error) {
        if (signal.aborted) return null;
        notice(error instanceof Error ? error.message : String(error));
      }
    }
  }

  return {
    get current() {
      return current;
    },
    async stop() {
      stopping.abort();
      await current.stop();
      await loop;
      // A successor may have become ready in the same moment.
      await current.stop();
    },
    kill() {
      stopping.abort();
      current.process.kill('SIGKILL');
    },
  };
}

function ended({ process: child }: Service): Promise<string> {
  const how = () => (child.signalCode ? `signal ${child.signalCode}` : `code ${child.exitCode}`);
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(how());
  return new Promise((resolve) => child.once('exit', () => resolve(how())));
}

/** Waits, or not so long when the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
