import type { QuoteSource } from '@gatehouse/domain/quote';
import { simulatedQuotes } from '@gatehouse/domain/simulated-quotes';
import { createAlpacaClient } from './alpaca/client.ts';
import { createAlpacaQuotes } from './alpaca/quotes.ts';
import { alpacaSettings, type MarketSettings } from './settings.ts';

/** Gateway and worker must see the same market: clients are shown the prices that their orders trade at. */
const SEED = 'gatehouse';

/** A source that holds connections. */
export interface OpenQuoteSource extends QuoteSource {
  /** What is still asked for then, fails. */
  close(): Promise<void>;
}

/** @throws when `alpaca` is chosen without its keys, see {@link alpacaSettings} */
export function createQuoteSource(settings: MarketSettings): OpenQuoteSource {
  const alpaca = alpacaSettings(settings);
  if (settings.QUOTES === 'simulated' || alpaca === null) {
    return { ...simulatedQuotes(SEED), close: async () => undefined };
  }
  const client = createAlpacaClient({ ...alpaca, url: alpaca.dataUrl });
  return { ...createAlpacaQuotes(client), close: client.close };
}
