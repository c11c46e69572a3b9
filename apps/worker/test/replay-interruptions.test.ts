import { transaction } from '@gatehouse/db/transaction';
import { openReplayStep, takeReplayStep } from '@gatehouse/db/webhook-replay-steps';
import { findReplay } from '@gatehouse/db/webhook-replays';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { expect, test } from 'vitest';
import {
  begin,
  broken,
  deliveries,
  end,
  everyEvent,
  ledger,
  MANY,
  run,
  setUp,
  withMany,
} from './replays.ts';

test('a run that dies in the middle of a step, and two runs at once, leave nothing out and schedule nothing twice', async () => {
  const { db, accountId } = await setUp();
  const endpointId = await withMany(db, accountId);
  const id = await begin(db, accountId, endpointId);
  const dying = transaction(db, async (tx) => {
    const opened = await openReplayStep(tx, id);
    if ('none' in opened) throw new Error(opened.none);
    await takeReplayStep(tx, opened.step);
    throw new Error('killed');
  });
  await expect(dying).rejects.toThrow('killed');
  expect(await deliveries(db, endpointId)).toEqual([]);
  // Redis forgot that the first was under way.
  while (await db.job.findFirst({ where: { subjectId: id } })) {
    await Promise.all([run(db, id), run(db, id)]);
    await end(db, 'succeeded');
  }
  expect(await deliveries(db, endpointId)).toEqual(everyEvent('succeeded'));
  expect(await findReplay(db, accountId, id)).toMatchObject({
    ...{ status: 'succeeded', total: MANY, examined: MANY, scheduled: MANY, delivered: MANY },
  });
  expect(await broken(db)).toEqual([]);
});

test('a worker that is to end leaves a replay to the next', async () => {
  const { db, accountId } = await setUp();
  await addTestEvents(db, accountId, ['task.due']);
  await publishTestEvents(db, ledger);
  const endpointId = await createTestEndpoint(db, accountId);
  const id = await begin(db, accountId, endpointId);
  await run(db, id, AbortSignal.abort());
  expect(await deliveries(db, endpointId)).toEqual([]);
  const [job] = await db.job.findMany({ where: { subjectId: id } });
  expect(job?.runAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
  await run(db, id);
  expect(await deliveries(db, endpointId)).toEqual(['1 pending']);
});
