import {
  beginReconciliation,
  endReconciliation,
  noteProgress,
} from '@gatehouse/db/stripe-reconciliations';
import { expect, test } from 'vitest';
import { startGateway } from './harness.ts';
import { newPerson } from './people.ts';

const PATH = '/v1/admin/stripe-reconciliations';

test('operators list the rounds of reconciliation, newest first, page by page; users do not', async () => {
  const gateway = await startGateway();
  const { db } = gateway;
  const begin = async () => (await beginReconciliation(db, { firstDays: 30 }))?.id ?? '';
  const seenUntil = Math.floor(Date.now() / 1_000);
  const results = [
    { seenUntil, eventsFound: 3, depositsMended: 2, error: null },
    { seenUntil: seenUntil - 40, eventsFound: 0, depositsMended: 0, error: 'Stripe answered 503' },
  ];
  for (const result of results) {
    const id = await begin();
    await noteProgress(db, id, result);
    await endReconciliation(db, id, result);
  }
  const running = await begin();
  const rows = await db.stripeReconciliation.findMany({ orderBy: { id: 'desc' } });
  const operator = await newPerson(gateway, 'operator');
  const { status, body } = await operator.call('GET', `${PATH}?limit=2`);
  expect(status).toBe(200);
  expect(body).toEqual({
    data: [
      {
        id: running,
        startedAt: rows[0]?.startedAt.toISOString(),
        endedAt: null,
        eventsFound: 0,
        depositsMended: 0,
        seenUntil,
        error: null,
      },
      {
        id: rows[1]?.id,
        startedAt: rows[1]?.startedAt.toISOString(),
        endedAt: rows[1]?.endedAt?.toISOString(),
        ...results[1],
        // What was seen before stays seen.
        seenUntil,
      },
    ],
    hasMore: true,
    nextCursor: rows[1]?.id,
  });
  const next = await operator.call('GET', `${PATH}?limit=2&cursor=${body.nextCursor}`);
  expect(next.body).toMatchObject({ data: [results[0]], hasMore: false, nextCursor: null });

  const user = await newPerson(gateway, 'user');
  expect((await user.call('GET', PATH)).status).toBe(403);
  expect((await gateway.call('GET', PATH)).status).toBe(401);
});
