import type { Logger } from 'pino';

/** Tells the log when something begins to fail and when it works again, instead of at every try. */
export interface Outage {
  noticed(error: unknown): void;
  over(): void;
}

export function createOutage(log: Logger, what: string): Outage {
  let since: number | null = null;
  return {
    noticed(error) {
      if (since !== null) return;
      since = performance.now();
      log.warn({ err: error, what }, `${what} does not work, trying on`);
    },
    over() {
      if (since === null) return;
      log.info({ what, downForMs: Math.round(performance.now() - since) }, `${what} works again`);
      since = null;
    },
  };
}
