import { decimal } from '@gatehouse/domain/decimal';
import type { Quote, QuoteSource } from '@gatehouse/domain/quote';

export interface Market {
  bid: string;
  ask: string;
  /** What each side shows; as good as endless when left out. */
  size?: string;
}

export interface TestQuotes extends QuoteSource {
  /** The next quotes, in order; the last of them stays. */
  set(...markets: [Market, ...Market[]]): void;
}

/** A market that stands still until it is told to move. */
export function testQuotes(): TestQuotes {
  let now: Market = { bid: '99.90', ask: '100.00' };
  let next: Market[] = [];
  return {
    set(...markets) {
      next = markets;
    },
    async quote(symbol, at): Promise<Quote> {
      now = next.shift() ?? now;
      const { bid, ask, size = '1000000' } = now;
      return {
        symbol,
        bid: decimal(bid),
        ask: decimal(ask),
        last: decimal(ask),
        bidSize: decimal(size),
        askSize: decimal(size),
        asOf: at,
        source: 'test',
      };
    },
  };
}
