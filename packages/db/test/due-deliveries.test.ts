import { expect, test } from 'vitest';
import { nextDueInMs, readLane, takeDue } from '../src/due-deliveries.ts';
import { given } from './delivering.ts';

const NO_FUSS = { limit: 10, held: [], ordered: false };

test('what is due is taken with its event, as it was written down, and not what is held or comes later', async () => {
  const { db, endpointId, ids } = await given(3);
  const [first, second = '', third = ''] = ids;
  await db.webhookDelivery.update({
    where: { id: second },
    data: { nextAttemptAt: new Date(Date.now() + 60_000) },
  });
  const held = [third];
  const taken = await takeDue(db, endpointId, { ...NO_FUSS, held });
  expect(taken).toEqual([
    {
      ...{ id: first, sequence: 1n, attempts: 0, eventId: expect.any(String) },
      ...{ type: 'task.created', timestamp: '2026-11-20T08:00:00.120Z', data: '{"b":1,"a":"ü"}' },
    },
  ]);
  expect(await takeDue(db, endpointId, { ...NO_FUSS, limit: 1 })).toHaveLength(1);
});

test('in its order nothing is taken past what is not due', async () => {
  const { db, endpointId, ids } = await given(4, { ordered: true });
  await db.webhookDelivery.update({
    where: { id: ids[2] ?? '' },
    data: { nextAttemptAt: new Date(Date.now() + 60_000) },
  });
  const take = async (held: string[]) =>
    (await takeDue(db, endpointId, { limit: 10, held, ordered: true })).map(({ id }) => id);
  expect(await take([])).toEqual(ids.slice(0, 2));
  expect(await take(ids.slice(0, 2))).toEqual([]);
});

test('the next time is that of the earliest, or of the first in order, and not before a pause is over', async () => {
  const { db, endpointId, ids } = await given(2);
  expect(await nextDueInMs(db, endpointId)).toBe(0);
  const at = (ms: number) => new Date(Date.now() + ms);
  const [id = ''] = ids;
  await db.webhookDelivery.update({ where: { id }, data: { nextAttemptAt: at(3_600_000) } });
  expect(await nextDueInMs(db, endpointId)).toBe(0);
  await db.webhookEndpoint.updateMany({ data: { ordered: true } });
  expect(await nextDueInMs(db, endpointId)).toBeGreaterThan(3_500_000);
  await db.webhookEndpoint.updateMany({ data: { pausedUntil: at(7_200_000) } });
  expect(await nextDueInMs(db, endpointId)).toBeGreaterThan(7_100_000);
  await db.webhookEndpoint.updateMany({ data: { disabledAt: at(0), disabledReason: 'owner' } });
  expect(await nextDueInMs(db, endpointId)).toBeNull();
  expect(await readLane(db, endpointId)).toBeNull();
});

test('a secret before the last holds until it ends', async () => {
  const { db, endpointId } = await given(0);
  const previousSealedSecret = Buffer.from('previous');
  const until = (ms: number) =>
    db.webhookEndpoint.updateMany({
      data: { previousSealedSecret, previousSecretExpiresAt: new Date(Date.now() + ms) },
    });
  const secrets = async () =>
    (await readLane(db, endpointId))?.sealedSecrets.map((each) => Buffer.from(each).toString());
  await until(60_000);
  expect(await secrets()).toEqual(['sealed', 'previous']);
  await until(-60_000);
  expect(await secrets()).toEqual(['sealed']);
});
