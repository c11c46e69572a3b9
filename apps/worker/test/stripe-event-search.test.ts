import type { Database } from '@gatehouse/db/client';
import { listReconciliations } from '@gatehouse/db/stripe-reconciliations';
import { type EventTime, type Payments, PaymentsUnavailable } from '@gatehouse/payments/payments';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createReconcileStripe } from '../src/processors/reconcile-stripe.ts';
import { startStripeStack } from './stripe.ts';

const log = pino({ level: 'silent' });
const rounds = async (db: Database) => (await listReconciliations(db, { limit: 20 })).data;

test('a search that is cut short goes on where it was, from the oldest window to the newest', async () => {
  const stack = await startStripeStack();
  const { db, ledger } = stack;
  const hour = 3_600;
  const now = Math.floor(Date.now() / 1_000);
  const created = [now - 50 * hour, now - 49 * hour, now - 10];
  const asked: EventTime[] = [];
  let isBroken = true;
  const payments: Payments = {
    ...stack.payments,
    async *undeliveredEvents(time) {
      asked.push(time);
      const { since, until = Number.POSITIVE_INFINITY } = time;
      if (isBroken && until > now - 20 * hour) throw new PaymentsUnavailable('enough', 1);
      for (const at of created.filter((one) => one >= since && one < until)) {
        const type = 'payment_intent.created';
        yield { id: `evt_${at}`, type, livemode: false, created: at, payload: '{}' };
      }
    },
  };
  const { signal } = new AbortController();
  const round = () => createReconcileStripe({ db, ledger, payments }).run({ signal, log });
  await round();
  const [cut] = await rounds(db);
  expect(cut).toMatchObject({ eventsFound: 2, error: expect.stringContaining('enough') });
  expect(cut?.seenUntil).toBeGreaterThan(now - 49 * hour);
  expect(asked.length).toBeLessThan(60);
  const windows = asked.length;
  isBroken = false;
  await round();
  const [whole] = await rounds(db);
  expect(whole).toMatchObject({ eventsFound: 1, error: null });
  expect(whole?.seenUntil).toBeGreaterThanOrEqual(now);
  expect(asked[windows]?.since).toBe((cut?.seenUntil ?? 0) - hour);
  // Nothing was left out between two windows, and the newest has no end.
  const second = asked.slice(windows);
  expect(second.slice(1).map(({ since }) => since)).toEqual(
    second.slice(0, -1).map(({ until }) => until),
  );
  expect(second.at(-1)?.until).toBeUndefined();
});
