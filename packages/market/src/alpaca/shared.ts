interface Entry<T> {
  readonly value: Promise<T>;
  /** Milliseconds on the clock of `performance`; while it is under way, never. */
  expiresAt: number;
}

export interface SharedOptions {
  /** Counted from when an answer came. */
  readonly keepMs: number;
  /** How many answers are kept; the one that was asked for first makes room. */
  readonly most: number;
}

/** `ask` for many at once: a question under way is joined, an answer is given again for a while. Failures are not kept. */
export function shared<T>(
  ask: (key: string) => Promise<T>,
  { keepMs, most }: SharedOptions,
): (key: string) => Promise<T> {
  const entries = new Map<string, Entry<T>>();
  return (key) => {
    const known = entries.get(key);
    if (known && performance.now() < known.expiresAt) return known.value;
    entries.delete(key);
    for (const oldest of entries.keys()) {
      if (entries.size < most) break;
      entries.delete(oldest);
    }
    const entry: Entry<T> = { value: ask(key), expiresAt: Number.POSITIVE_INFINITY };
    entries.set(key, entry);
    entry.value.then(
      () => {
        entry.expiresAt = performance.now() + keepMs;
      },
      () => {
        if (entries.get(key) === entry) entries.delete(key);
      },
    );
    return entry.value;
  };
}
