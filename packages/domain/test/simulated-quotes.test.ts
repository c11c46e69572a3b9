import { describe, expect, it } from 'vitest';
import type { Quote } from '../src/quote.ts';
import { simulatedQuotes } from '../src/simulated-quotes.ts';
import { generator } from './generator.ts';
import { cents } from './scaled.ts';

const START = Date.UTC(2026, 10, 20, 8, 0, 0);
const SYMBOLS = [
  'AAPL',
  'MSFT',
  'BRK.B',
  'A',
  'B',
  'ZZZZZZ',
  'TSLA',
  'NVDA',
  'GOOG',
  'AMZN',
] as const;

function at(second: number, millisecond = 0): Date {
  return new Date(START + second * 1000 + millisecond);
}

function shown(quote: Quote): string {
  return JSON.stringify(quote);
}

/** Twice the middle of bid and ask, in cents. */
function doubleMid(quote: Quote): number {
  return Number(cents(quote.bid) + cents(quote.ask));
}

describe('simulated quotes', () => {
  it('are the same for the same seed, symbol and second, from any instance', async () => {
    const { integer, one } = generator(7);
    for (let round = 0; round < 200; round += 1) {
      const symbol = one(SYMBOLS);
      const second = integer(0, 10_000_000);
      const early = await simulatedQuotes('seed').quote(symbol, at(second, 0));
      const late = await simulatedQuotes('seed').quote(symbol, at(second, 999));
      expect(shown(late)).toBe(shown(early));
      expect(early).toMatchObject({ symbol, asOf: at(second), source: 'simulated' });
    }
  });

  // Guards against a change that silently gives every stored fixture and recorded run other prices.
  it('stay what they were', async () => {
    expect(await simulatedQuotes('gatehouse').quote('AAPL', at(0))).toMatchInlineSnapshot(`
      {
        "asOf": 2026-11-20T08:00:00.000Z,
        "ask": "184.41",
        "askSize": "8500",
        "bid": "184.29",
        "bidSize": "1700",
        "last": "184.4",
        "source": "simulated",
        "symbol": "AAPL",
      }
    `);
  });

  it('differ by seed and by symbol', async () => {
    const seen = new Set<string>();
    // Among them pairs that are one text when put together, such as ('A', 'BB') and ('AB', 'B').
    for (const seed of ['A', 'B', 'AB']) {
      for (const symbol of ['A', 'B', 'BA', 'BB', 'AAPL', 'MSFT']) {
        const { bid, ask, bidSize, askSize } = await simulatedQuotes(seed).quote(symbol, at(0));
        seen.add(`${bid} ${ask} ${bidSize} ${askSize}`);
      }
    }
    expect(seen.size).toBe(18);
  });

  it('are whole cents, bid below ask, the last trade between them', async () => {
    const { integer, one } = generator(11);
    const quotes = simulatedQuotes('bounds');
    for (let round = 0; round < 3_000; round += 1) {
      const quote = await quotes.quote(one(SYMBOLS), at(integer(0, 10_000_000)));
      // cents() throws on anything finer.
      const [bid, ask, last] = [cents(quote.bid), cents(quote.ask), cents(quote.last)];
      expect(bid).toBeLessThan(ask);
      expect(last >= bid && last <= ask).toBe(true);
      const basisPoints = (10_000 * Number(ask - bid)) / (doubleMid(quote) / 2);
      expect(basisPoints).toBeGreaterThan(1.9);
      expect(basisPoints).toBeLessThan(10.1);
      for (const size of [quote.bidSize, quote.askSize]) {
        expect(size.isInteger()).toBe(true);
        expect(size.toNumber()).toBeGreaterThanOrEqual(1_000);
        expect(size.toNumber()).toBeLessThanOrEqual(10_000);
      }
    }
  });

  it('start from bases spread between 20 and 500 dollars', async () => {
    const quotes = simulatedQuotes('bases');
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const mids: number[] = [];
    for (const first of letters) {
      for (const second of letters) {
        mids.push(doubleMid(await quotes.quote(first + second, at(0))) / 200);
      }
    }
    const inFifth = Array.from({ length: 5 }, () => 0);
    for (const mid of mids) {
      expect(mid).toBeGreaterThan(19.7);
      expect(mid).toBeLessThan(505.1);
      const fifth = Math.min(4, Math.max(0, Math.floor((mid - 20) / 96)));
      inFifth[fifth] = (inFifth[fifth] ?? 0) + 1;
    }
    for (const count of inFifth) {
      // 135 expected; a hash that clumps symbols together leaves a fifth far emptier than this.
      expect(count).toBeGreaterThan(95);
    }
  });

  it.each(SYMBOLS)('move %s within about one percent of its base, and do move', async (symbol) => {
    const quotes = simulatedQuotes('drift');
    const mids: number[] = [];
    for (let second = 0; second < 7_200; second += 1) {
      mids.push(doubleMid(await quotes.quote(symbol, at(second))));
    }
    const [low, high] = [Math.min(...mids), Math.max(...mids)];
    // One percent up and one down, and up to a cent of rounding.
    expect((high - low) / low).toBeLessThan(0.0211);
    expect((high - low) / low).toBeGreaterThan(0.008);
    const steps = mids.slice(1).map((mid, index) => Math.abs(mid - (mids[index] ?? mid)) / mid);
    // A path, not noise: no second jumps by more than a tenth of a percent.
    expect(Math.max(...steps)).toBeLessThan(0.001);
  });

  it('do not repeat after any of the periods', async () => {
    const quotes = simulatedQuotes('repeat');
    const path = async (from: number) => {
      const mids: number[] = [];
      for (let second = from; second < from + 60; second += 1) {
        mids.push(doubleMid(await quotes.quote('NVDA', at(second))));
      }
      return mids.join();
    };
    const first = await path(0);
    for (let shift = 20; shift <= 1_200; shift += 20) {
      expect(await path(shift)).not.toBe(first);
    }
  });

  it('are refused for a date that is not one', async () => {
    await expect(simulatedQuotes('s').quote('AAPL', new Date(Number.NaN))).rejects.toThrow(
      RangeError,
    );
  });
});
