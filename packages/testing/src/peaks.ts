/** Counts what is under way, by name, and remembers how much it was at most. */
export interface Peaks {
  begin(name: string): void;
  end(name: string): void;
  most(name: string): number;
}

export function countPeaks(): Peaks {
  const counts = new Map<string, { now: number; most: number }>();
  const countOf = (name: string) => {
    const count = counts.get(name) ?? { now: 0, most: 0 };
    counts.set(name, count);
    return count;
  };
  return {
    begin(name) {
      const count = countOf(name);
      count.now += 1;
      count.most = Math.max(count.most, count.now);
    },
    end(name) {
      countOf(name).now -= 1;
    },
    most: (name) => countOf(name).most,
  };
}
