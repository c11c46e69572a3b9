import { oneLine } from './errors.ts';

/** When each part is stopped: what uses others before what it uses. Parts of the same rank stop together. */
export const STOP_ORDER = ['api', 'worker', 'redis', 'postgres', 'mail', 'stripe'] as const;
export type Part = (typeof STOP_ORDER)[number];

interface Stoppable {
  stop(): Promise<void>;
  kill(): void;
}

/** Collects what has been started, and what is still being started, so that all of it can be stopped. */
export class Teardown {
  readonly #parts: { part: Part; starting: Promise<Stoppable | null> }[] = [];
  readonly #running = new Set<Stoppable>();

  /** Adds a part from the moment it begins to start; gives the same promise back. */
  add<T extends Stoppable>(part: Part, starting: Promise<T>): Promise<T> {
    const settled = starting.then(
      (started) => {
        this.#running.add(started);
        return started;
      },
      // Whoever awaits `starting` hears of the failure; here it only means that there is nothing to stop.
      () => null,
    );
    this.#parts.push({ part, starting: settled });
    return starting;
  }

  /** Stops everything in order. A part that fails to stop does not keep the others; gives the failures, one line each. */
  async stop(): Promise<string[]> {
    const failures: string[] = [];
    for (const part of STOP_ORDER) {
      const ofPart = this.#parts.filter((entry) => entry.part === part);
      const outcomes = await Promise.allSettled(
        ofPart.map(async ({ starting }) => (await starting)?.stop()),
      );
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') failures.push(`${part}: ${oneLine(outcome.reason)}`);
      }
    }
    return failures;
  }

  /** Kills what runs, at once. */
  kill(): void {
    for (const running of this.#running) running.kill();
  }
}
