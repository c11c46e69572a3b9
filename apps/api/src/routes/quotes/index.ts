import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { formatMoney } from '@gatehouse/domain/decimal';
import Type from 'typebox';
import { DecimalText, problems, Ticker, Timestamp } from '../../schemas.ts';

const Quote = Type.Object({
  symbol: Ticker,
  bid: DecimalText('187.41'),
  ask: DecimalText('187.43'),
  last: DecimalText('187.42'),
  asOf: Timestamp,
  source: Type.String({ examples: ['simulated'] }),
});

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/quotes/:symbol',
    {
      config: { access: 'account:read', etag: true },
      schema: {
        tags: ['Quotes'],
        summary: 'Read the quote of a symbol',
        params: Type.Object({ symbol: Ticker }),
        response: { 200: Quote, ...problems(401, 403, 404) },
      },
    },
    async ({ params }) => {
      const quote = await app.quotes.quote(params.symbol, new Date());
      return {
        ...quote,
        bid: formatMoney(quote.bid),
        ask: formatMoney(quote.ask),
        last: formatMoney(quote.last),
      };
    },
  );
};

export default plugin;
