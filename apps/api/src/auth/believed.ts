import { LRUCache } from 'lru-cache';

/**
 * Milliseconds for which what the database said of a credential is believed: a session that is ended and a key that is
 * revoked elsewhere work here for as long, and cost one look-up in this time however often they are used.
 */
const BELIEVED_MS = 500;
const AT_MOST = 10_000;

export interface Believed<T> {
  find(key: string): Promise<T | null>;
  /** Has the next `find` ask again, of one key or of all: something was changed here, and is to be true here at once. */
  forget(key: string): void;
  forgetAll(): void;
}

/** Remembers for a moment what `load` finds, or does not find; many who ask at once cause one look-up. */
export function believed<T>(load: (key: string) => Promise<T | null>): Believed<T> {
  const cache = new LRUCache<string, { value: T | null }>({
    max: AT_MOST,
    ttl: BELIEVED_MS,
    // Who waits for a look-up while its key is forgotten gets what it found; nobody after him does.
    ignoreFetchAbort: true,
    fetchMethod: async (key) => ({ value: await load(key) }),
  });
  return {
    find: async (key) => (await cache.fetch(key))?.value ?? null,
    forget: (key) => {
      cache.delete(key);
    },
    forgetAll: () => cache.clear(),
  };
}
