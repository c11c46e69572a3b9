import { BrokerUnavailable } from '@gatehouse/domain/broker';
import type { Decimal } from '@gatehouse/domain/decimal';
import { NoQuote, type QuoteSource } from '@gatehouse/domain/quote';
import type { OpenQuoteSource } from '@gatehouse/market/quote-sources';
import fp from 'fastify-plugin';

/** Dollars a share of the most recent trade; null when there is no quote, or its source is away. */
export type LastPrice = (symbol: string, at: Date) => Promise<Decimal | null>;

declare module 'fastify' {
  interface FastifyInstance {
    quotes: QuoteSource;
    /** For who wants to see what he has: he is not to be sent away for want of one price. */
    lastPrice: LastPrice;
  }
}

export interface QuotesOptions {
  source: OpenQuoteSource;
}

export default fp<QuotesOptions>(
  async (app, { source }) => {
    app.decorate('quotes', source);
    app.decorate('lastPrice', async (symbol, at) => {
      try {
        return (await source.quote(symbol, at)).last;
      } catch (error) {
        if (error instanceof NoQuote || error instanceof BrokerUnavailable) return null;
        throw error;
      }
    });
    app.addHook('onClose', () => source.close());
  },
  { name: 'quotes' },
);
