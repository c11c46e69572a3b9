import { LRUCache } from 'lru-cache';
import type { Limit, Taking } from './budgets.ts';

/** Some megabytes. Beyond, the ones that were not asked for the longest are forgotten. */
const AT_MOST = 20_000;

export interface MemoryBudgets {
  take(name: string, limit: Limit): Taking;
  giveBack(name: string): void;
  /** Milliseconds until something is left of a budget; 0 when there is now. Takes nothing. */
  spentForMs(name: string, limit: Limit): number;
}

/** Budgets of this process alone. */
export function createMemoryBudgets(): MemoryBudgets {
  const windows = new LRUCache<string, { used: number; endsAt: number }>({ max: AT_MOST });
  return {
    take(name, { max, windowMs }) {
      const now = performance.now();
      const known = windows.get(name);
      if (known === undefined || known.endsAt <= now) {
        windows.set(name, { used: 1, endsAt: now + windowMs });
        return { isTaken: true, used: 1, leftMs: windowMs };
      }
      const isTaken = known.used < max;
      if (isTaken) known.used += 1;
      return { isTaken, used: isTaken ? known.used : max + 1, leftMs: known.endsAt - now };
    },
    giveBack(name) {
      const known = windows.get(name);
      if (known !== undefined && known.used > 0) known.used -= 1;
    },
    spentForMs(name, { max }) {
      const known = windows.get(name);
      if (known === undefined || known.used < max) return 0;
      return Math.max(0, known.endsAt - performance.now());
    },
  };
}
