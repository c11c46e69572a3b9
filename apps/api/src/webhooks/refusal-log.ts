import type { FastifyBaseLogger } from 'fastify';

/** Milliseconds that one line of the log is for. */
const EVERY_MS = 1_000;

/** Tells the log why requests are refused. */
export interface RefusalLog {
  /** @param reason one of a few: none that a request could make up */
  add(reason: string): void;
  /** Writes what is not written yet. */
  flush(): void;
}

/** At most one line a second, with how many there were for each reason: anybody can have requests refused. */
export function createRefusalLog(log: Pick<FastifyBaseLogger, 'warn'>): RefusalLog {
  const reasons = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (reasons.size === 0) return;
    log.warn({ reasons: Object.fromEntries(reasons) }, 'requests to /webhooks/stripe were refused');
    reasons.clear();
  };
  return {
    add(reason) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      timer ??= setTimeout(flush, EVERY_MS).unref();
    },
    flush,
  };
}
