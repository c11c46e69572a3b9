import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { findAccount, heldCash } from '@gatehouse/db/accounts';
import { listLedgerEntries } from '@gatehouse/db/ledger';
import { allPositions } from '@gatehouse/db/positions';
import { buyingPower } from '@gatehouse/domain/buying-power';
import { formatMoney } from '@gatehouse/domain/decimal';
import { LEDGER_NAMES } from '@gatehouse/domain/ledger';
import Type from 'typebox';
import {
  DecimalText,
  Id,
  Nullable,
  PageOf,
  pageQuery,
  problems,
  Query,
  Timestamp,
} from '../../schemas.ts';
import { marketValue } from '../../valuation.ts';

const Account = Type.Object({
  id: Id,
  currency: Type.String(),
  cash: DecimalText('99437.74'),
  owed: DecimalText('0.00'),
  buyingPower: DecimalText('99437.74'),
  equity: DecimalText('100008.04'),
});

const LedgerEntry = Type.Object({
  id: Id,
  transactionId: Id,
  kind: Type.String({
    description: 'What moved the money: `paper_grant`, `fill`, `deposit`, `refund`, `dispute`, …',
  }),
  referenceId: Nullable(
    Type.String({ description: 'The fill, or the movement of a deposit, that caused it' }),
  ),
  ledger: Type.Enum([...LEDGER_NAMES]),
  amount: DecimalText('-562.26'),
  createdAt: Timestamp,
});

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/account',
    {
      config: { access: 'account:read', etag: true },
      schema: {
        tags: ['Account'],
        summary:
          'Read the account: cash, what it owes, what that and open orders leave to buy with, and what all is worth',
        response: { 200: Account, ...problems(401, 403) },
      },
    },
    async ({ principal }) => {
      const [account, held, positions] = await Promise.all([
        findAccount(app.db, principal.accountId),
        heldCash(app.db, principal.accountId),
        allPositions(app.db, principal.accountId),
      ]);
      const at = new Date();
      // At its cost while there is no quote of it.
      const worth = await Promise.all(
        positions.map(
          async (one) => (await marketValue(app.lastPrice, one, at))?.value ?? one.costBasis,
        ),
      );
      return {
        id: account.id,
        currency: account.currency,
        cash: formatMoney(account.cash),
        owed: formatMoney(account.owed),
        buyingPower: formatMoney(buyingPower({ ...account, heldCash: held })),
        equity: formatMoney(
          worth.reduce((sum, value) => sum.plus(value), account.cash.minus(account.owed)),
        ),
      };
    },
  );

  app.get(
    '/v1/account/ledger',
    {
      config: { access: 'account:read' },
      schema: {
        tags: ['Account'],
        summary:
          'List the ledger entries, newest first. The entries of a transaction add up to zero.',
        querystring: Query(pageQuery),
        response: { 200: PageOf(LedgerEntry), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const page = await listLedgerEntries(app.db, principal.accountId, query);
      return {
        ...page,
        data: page.data.map((entry) => ({ ...entry, amount: formatMoney(entry.amount) })),
      };
    },
  );
};

export default plugin;
