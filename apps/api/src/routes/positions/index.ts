import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findPosition, listPositions } from '@gatehouse/db/positions';
import { POSITION_TYPES } from '@gatehouse/domain/order';
import Type from 'typebox';
import { NotFound } from '../../errors.ts';
import {
  DecimalText,
  Nullable,
  PageOf,
  pageQuery,
  problems,
  Query,
  Ticker,
} from '../../schemas.ts';
import { positionView } from '../../valuation.ts';

const PositionType = Type.Enum([...POSITION_TYPES]);

/** Null while there is no quote of the symbol: a live source may not know it, or not answer. */
const WhileQuoted = (example: string) => Nullable(DecimalText(example));

const Position = Type.Object({
  symbol: Ticker,
  positionType: PositionType,
  quantity: DecimalText('3'),
  averageEntryPrice: DecimalText('187.42'),
  marketPrice: WhileQuoted('190.10'),
  marketValue: WhileQuoted('570.30'),
  unrealizedPnl: WhileQuoted('8.04'),
  realizedPnl: DecimalText('0.00'),
});

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/positions',
    {
      config: { access: 'account:read' },
      schema: {
        tags: ['Account'],
        summary: 'List the positions that are not flat',
        querystring: Query(pageQuery),
        response: { 200: PageOf(Position), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const page = await listPositions(app.db, principal.accountId, query);
      const at = new Date();
      return {
        ...page,
        data: await Promise.all(
          page.data.map((position) => positionView(app.lastPrice, position, at)),
        ),
      };
    },
  );

  app.get(
    '/v1/positions/:symbol',
    {
      config: { access: 'account:read', etag: true },
      schema: {
        tags: ['Account'],
        summary: 'Read a position',
        params: Type.Object({ symbol: Ticker }),
        querystring: Query({ positionType: Type.Enum([...POSITION_TYPES], { default: 'stock' }) }),
        response: { 200: Position, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params, query }) => {
      const position = await findPosition(app.db, {
        accountId: principal.accountId,
        symbol: params.symbol,
        positionType: query.positionType,
      });
      if (position === null || position.quantity.isZero()) throw new NotFound('position');
      return positionView(app.lastPrice, position, new Date());
    },
  );
};

export default plugin;
