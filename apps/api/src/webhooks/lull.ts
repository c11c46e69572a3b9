/** Milliseconds without anything under way that are a lull: longer than a busy sender takes to send the next. */
const LULL_MS = 5;

/** Milliseconds that nothing waits beyond, lull or not. */
const MOST_MS = 2_000;

/** Holds back work that can wait as long as there is work that cannot. */
export interface Lull<Item> {
  /** Does what cannot wait. */
  before<T>(urgent: () => Promise<T>): Promise<T>;
  /** Passes items on in the next lull, or after two seconds. */
  add(items: readonly Item[]): void;
  /** Passes on what is held back. */
  flush(): void;
}

export function createLull<Item>(passOn: (items: readonly Item[]) => void): Lull<Item> {
  let held: Item[] = [];
  let heldSince = 0;
  let underWay = 0;
  let quietSince = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (held.length > 0) passOn(held);
    held = [];
  };
  const look = (): void => {
    const now = performance.now();
    const isLull = underWay === 0 && now - quietSince >= LULL_MS;
    if (isLull || now - heldSince >= MOST_MS) flush();
    else timer = setTimeout(look, LULL_MS);
  };
  return {
    async before(urgent) {
      underWay += 1;
      try {
        return await urgent();
      } finally {
        underWay -= 1;
        quietSince = performance.now();
      }
    },
    add: (items) => {
      if (items.length === 0) return;
      if (held.length === 0) heldSince = performance.now();
      held.push(...items);
      timer ??= setTimeout(look, LULL_MS);
    },
    flush,
  };
}
