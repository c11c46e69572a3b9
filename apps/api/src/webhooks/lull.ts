/** Milliseconds without anything new that are a lull: longer than a busy gateway waits for the next. */
const LULL_MS = 5;

/** Milliseconds that nothing waits beyond, lull or not. */
const MOST_MS = 2_000;

/** Holds back work that can wait as long as work comes in that cannot. */
export interface Lull<Item> {
  /** Something came in. */
  stir(): void;
  /** Passes items on in the next lull, or after two seconds. */
  add(items: readonly Item[]): void;
  /** Passes on what is held back. */
  flush(): void;
}

export function createLull<Item>(passOn: (items: readonly Item[]) => void): Lull<Item> {
  let held: Item[] = [];
  let heldSince = 0;
  let stirredAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (held.length > 0) passOn(held);
    held = [];
  };
  const look = (): void => {
    const now = performance.now();
    const isOver = now - stirredAt >= LULL_MS || now - heldSince >= MOST_MS;
    if (isOver) flush();
    else timer = setTimeout(look, LULL_MS);
  };
  return {
    stir: () => {
      stirredAt = performance.now();
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
