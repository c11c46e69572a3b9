import { type Decimal, decimal } from './decimal.ts';
import { hash32 } from './hash.ts';
import type { Quote, QuoteSource } from './quote.ts';

/**
 * Periods in seconds, each a power of the golden ratio times 20, so no two have a common multiple and the
 * path does not repeat. The amplitudes are fractions of the base price and add up to one percent.
 */
const WAVES = [
  { period: 20, amplitude: 0.0005 },
  { period: 52.3607, amplitude: 0.001 },
  { period: 137.082, amplitude: 0.0015 },
  { period: 358.8854, amplitude: 0.003 },
  { period: 580.689, amplitude: 0.004 },
] as const;

const BASE_CENTS = { least: 2_000, most: 50_000 } as const;
const SPREAD = { least: 0.0002, most: 0.001 } as const;
/** Displayed sizes come in round lots of 100 shares. */
const LOTS = { least: 10, most: 100 } as const;

/** An integer between the bounds, both included, picked by the text. */
function pick(text: string, least: number, most: number): number {
  return least + (hash32(text) % (most - least + 1));
}

function midCents(key: string, second: number): number {
  const base = pick(`${key}|base`, BASE_CENTS.least, BASE_CENTS.most);
  const drift = WAVES.reduce((sum, { period, amplitude }) => {
    const phase = hash32(`${key}|${period}`) / 2 ** 32;
    return sum + amplitude * Math.sin(2 * Math.PI * (second / period + phase));
  }, 0);
  return Math.round(base * (1 + drift));
}

function fromCents(cents: number): Decimal {
  return decimal(cents).dividedBy(100);
}

/**
 * A made-up market: the same seed, symbol and second give the same quote in every process. Bases lie between
 * 20 and 500 dollars and move within one percent; the spread is 2 to 10 basis points, at least a cent; every
 * price is whole cents, every size 1,000 to 10,000 shares. `quote` rejects with a RangeError when `at` is not
 * a valid date.
 *
 * The sine waves are floating point, yet no floating point touches money: they only decide *which* integer
 * number of cents the market shows, as the weather might. That integer becomes an exact decimal here, and all
 * that is computed from the price afterwards, what somebody pays or is paid, is exact.
 */
export function simulatedQuotes(seed: string): QuoteSource {
  return {
    async quote(symbol: string, at: Date): Promise<Quote> {
      const second = Math.floor(at.getTime() / 1000);
      if (!Number.isSafeInteger(second)) {
        throw new RangeError('a quote needs a valid date');
      }
      // JSON keeps apart the pairs that plain concatenation would join, such as ('a', 'bc') and ('ab', 'c').
      const key = JSON.stringify([seed, symbol]);
      const now = `${key}|${second}`;

      const mid = midCents(key, second);
      const leastSpread = Math.max(1, Math.ceil(mid * SPREAD.least));
      const mostSpread = Math.max(leastSpread, Math.floor(mid * SPREAD.most));
      const spread = pick(`${now}|spread`, leastSpread, mostSpread);
      const bid = mid - Math.floor(spread / 2);
      const ask = bid + spread;

      return {
        symbol,
        bid: fromCents(bid),
        ask: fromCents(ask),
        last: fromCents(pick(`${now}|last`, bid, ask)),
        bidSize: decimal(100 * pick(`${now}|bid`, LOTS.least, LOTS.most)),
        askSize: decimal(100 * pick(`${now}|ask`, LOTS.least, LOTS.most)),
        asOf: new Date(second * 1000),
        source: 'simulated',
      };
    },
  };
}
