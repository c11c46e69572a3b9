import type { Database } from '@gatehouse/db/client';
import type { FakeStripe } from '@gatehouse/testing/stripe/fake';
import { onTestFinished } from 'vitest';
import { freshKey, type Gateway, type Reply, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { startStripe } from './stripe.ts';

export interface DepositScene {
  gateway: Gateway;
  stripe: FakeStripe;
  ada: Person;
  /** A request for a deposit of 25 dollars, with a fresh key unless given one. */
  deposit(options?: { key?: Key; body?: unknown; at?: Pick<Gateway, 'call'> }): Promise<Reply>;
}

export type Key = ReturnType<typeof freshKey>;

/** A gateway with a fake Stripe and somebody who has money, until the test ends. */
export async function startDeposits(settings: Record<string, string> = {}): Promise<DepositScene> {
  const stand = await startStripe(onTestFinished);
  const gateway = await startGateway({ RATE_LIMIT_MAX: '0', ...stand.settings, ...settings });
  const ada = await newPerson(gateway, 'user');
  return {
    gateway,
    stripe: stand.stripe,
    ada,
    deposit: ({ key = freshKey(), body = { amount: 2500, currency: 'usd' }, at = gateway } = {}) =>
      ada.at(at)('POST', '/v1/deposits', { body, headers: key }),
  };
}

/** What there is of deposits: all that a test about one of them must find once. */
export async function traces(db: Database, stripe: FakeStripe) {
  return {
    deposits: (await db.deposit.findMany()).map(({ status }) => status),
    payments: stripe.paymentIntents().length,
    records: await db.idempotencyRecord.count({ where: { recoveryPoint: null } }),
    jobs: await db.job.count({ where: { name: 'finish-deposit' } }),
    events: (
      await db.event.findMany({
        where: { type: { startsWith: 'deposit.' } },
        orderBy: { id: 'asc' },
      })
    ).map(({ type }) => type),
  };
}

/** Has the gateway that made the one deposit die before the answer was stored. */
export async function forgetAnswer({ app, db }: Gateway): Promise<void> {
  const { id } = await db.deposit.findFirstOrThrow();
  await db.idempotencyRecord.updateMany({ data: { status: 0, body: '', recoveryPoint: id } });
  await app.redis.flushdb();
}

/** Of one deposit that is begun and answered. */
export const ONE = {
  deposits: ['pending'],
  payments: 1,
  records: 1,
  jobs: 0,
  events: ['deposit.created'],
};
