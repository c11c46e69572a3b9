import type { FastifyBaseLogger } from 'fastify';

/** Milliseconds between two writes: who looks at a key sees its last use this much later. */
const WRITE_MS = 5_000;

/** When keys were used last, by their ids. */
export type KeyUses = ReadonlyMap<string, Date>;

/**
 * Collects uses of keys, and writes them down together, every few seconds and at the end. What cannot be written is
 * logged and lost: no request waits for it or fails with it.
 */
export function createKeyUses(
  write: (uses: KeyUses) => Promise<void>,
  log: FastifyBaseLogger,
): { add(id: string): void; close(): Promise<void> } {
  let uses = new Map<string, Date>();
  let writing: Promise<void> | null = null;
  const flush = async (): Promise<void> => {
    if (uses.size === 0) return;
    const taken = uses;
    uses = new Map();
    try {
      await write(taken);
    } catch (err) {
      log.warn({ err, keys: taken.size }, 'the last uses of API keys were not written');
    }
  };
  const timer = setInterval(() => {
    writing ??= flush().finally(() => {
      writing = null;
    });
  }, WRITE_MS);
  timer.unref();
  return {
    add: (id) => {
      uses.set(id, new Date());
    },
    async close() {
      clearInterval(timer);
      await writing;
      await flush();
    },
  };
}
