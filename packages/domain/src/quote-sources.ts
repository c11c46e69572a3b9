import type { QuoteSource } from './quote.ts';
import { simulatedQuotes } from './simulated-quotes.ts';

export const QUOTE_SOURCES = ['simulated'] as const;
export type QuoteSourceName = (typeof QUOTE_SOURCES)[number];

/** Gateway and worker must see the same market: clients are shown the prices that their orders trade at. */
const SEED = 'gatehouse';

export function createQuoteSource(name: QuoteSourceName): QuoteSource {
  switch (name) {
    case 'simulated':
      return simulatedQuotes(SEED);
  }
}
