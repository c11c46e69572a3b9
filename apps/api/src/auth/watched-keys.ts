import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { FastifyBaseLogger } from 'fastify';
import { keysOf, parseKeyFile, type SigningKey } from './signing-keys.ts';

/** Milliseconds between two looks at the file: a new key is known this much later, at most. */
const LOOK_MS = 1_000;

export interface WatchedKeys {
  /** The keys of the file as it was when it could last be read and understood. */
  current(): readonly SigningKey[];
  close(): void;
}

/**
 * Keeps up with a file of keys. One that cannot be read or understood is logged, and changes nothing.
 *
 * The text is compared, not its time: files that are mounted into containers are links that are exchanged.
 *
 * @throws when it cannot be read or understood at the start
 */
export function watchKeys(path: string, log: FastifyBaseLogger): WatchedKeys {
  let text = readFileSync(path, 'utf8');
  let keys = keysOf(parseKeyFile(text), Date.now());
  let complaint: string | null = null;
  let timer: NodeJS.Timeout | null = null;

  const look = async (): Promise<void> => {
    const seen = await readFile(path, 'utf8');
    if (seen === text) return;
    keys = keysOf(parseKeyFile(seen), Date.now());
    text = seen;
    log.info({ kids: keys.map(({ kid }) => kid) }, 'the signing keys were read anew');
  };
  const again = (): void => {
    timer = setTimeout(async () => {
      try {
        await look();
        complaint = null;
      } catch (err) {
        // Once, and not every second until somebody mends it.
        const message = err instanceof Error ? err.message : String(err);
        if (message !== complaint) log.error({ err }, 'the signing keys of before stay');
        complaint = message;
      }
      if (timer !== null) again();
    }, LOOK_MS);
    timer.unref();
  };
  again();
  return {
    current: () => keys,
    close() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
