/** Has work that is costly take turns: so much at once, so much that waits, and no more. */
export interface Turns {
  /** Runs the work when it is its turn. @throws what `refuse` makes when too much waits already */
  take<T>(work: () => Promise<T>): Promise<T>;
}

export interface TurnsOptions {
  atOnce: number;
  waiting: number;
  /** Makes the error of what is turned away. */
  refuse: () => Error;
}

export function createTurns({ atOnce, waiting, refuse }: TurnsOptions): Turns {
  let running = 0;
  const queue: (() => void)[] = [];
  return {
    async take(work) {
      if (running < atOnce) running += 1;
      else if (queue.length >= waiting) throw refuse();
      // Whoever is done hands his place on: it is never free in between.
      else await new Promise<void>((resolve) => queue.push(resolve));
      try {
        return await work();
      } finally {
        const next = queue.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
