/** Seeded random values, so that a property that fails names the seed it failed with and fails again. */
export interface Generator {
  /** An integer, both bounds included. */
  integer(least: number, most: number): number;
  one<T>(values: readonly [T, ...T[]]): T;
}

/** mulberry32: 32 bits of state, evenly spread, enough for test data. */
export function generator(seed: number): Generator {
  let state = seed >>> 0;
  function unit(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  function integer(least: number, most: number): number {
    return least + Math.floor(unit() * (most - least + 1));
  }
  return {
    integer,
    one: ([first, ...rest]) => {
      const index = integer(0, rest.length);
      return index === 0 ? first : (rest[index - 1] ?? first);
    },
  };
}
