import type { QuoteSource } from '@gatehouse/domain/quote';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    quotes: QuoteSource;
  }
}

export interface QuotesOptions {
  source: QuoteSource;
}

export default fp<QuotesOptions>(
  async (app, { source }) => {
    app.decorate('quotes', source);
  },
  { name: 'quotes' },
);
