import type { Random } from './random.ts';

export interface Planned {
  name: string;
  /** Milliseconds of peace before it. Often too few to have recovered from the one before. */
  pauseMs: number;
  /** What the fault itself chooses by. */
  random: Random;
}

const PAUSE_MS = { least: 500, most: 3_000 } as const;

/** Faults without end, each name once before any comes again; the same for the same seed. */
export function* schedule(random: Random, names: readonly string[]): Generator<Planned, never> {
  for (let round = 0; ; round++) {
    for (const name of random.shuffled(names)) {
      const pauseMs = random.integer(PAUSE_MS.least, PAUSE_MS.most);
      yield { name, pauseMs, random: random.fork(`${name}/${round}`) };
    }
  }
}
