import type { QuoteSource } from '@gatehouse/domain/quote';
import { simulatedQuotes } from '@gatehouse/domain/simulated-quotes';
import type { Config } from '../config.ts';

/** The gateway's quotes come from the same seed: clients see the prices that their orders trade at. */
const SEED = 'gatehouse';

export function createQuoteSource(name: Config['QUOTES']): QuoteSource {
  switch (name) {
    case 'simulated':
      return simulatedQuotes(SEED);
  }
}
