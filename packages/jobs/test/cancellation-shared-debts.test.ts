import { transaction } from '@gatehouse/db/transaction';
import { lockWaiter } from '@gatehouse/testing/locks';
import { expect, test } from 'vitest';
import { cancelJob } from '../src/cancellation.ts';
import { remindTask } from '../src/definitions/remind-task.ts';
import {
  broken,
  cancel,
  dueTask,
  jobOf,
  restingOrder,
  setUp,
  wishToCancel,
} from './cancellation-scene.ts';

test('a wish, or a reminder, that another job still owes stays, until that is canceled as well', async () => {
  const scene = await setUp();
  const { db, ledger } = scene;
  const orderId = await restingOrder(scene);
  const task = await dueTask(scene);
  for (let count = 0; count < 6; count += 1) {
    await wishToCancel(scene, orderId);
    await transaction(db, (tx) =>
      ledger.enqueue(tx, remindTask, { taskId: task.id }, { requestId: null }),
    );
  }
  const isOwed = async () => [
    (await db.order.findUniqueOrThrow({ where: { id: orderId } })).cancelRequestedAt !== null,
    (await db.task.findUniqueOrThrow({ where: { id: task.id } })).remindedAt === null,
  ];
  for (const name of ['cancel-trade', 'remind-task'] as const)
    await cancel(db, (await jobOf(db, name)).id);
  expect(await isOwed()).toEqual([true, true]);
  expect(await broken(db)).toEqual([]);

  const rest = await db.job.findMany();
  await Promise.all(rest.map(({ id }) => cancel(db, id)));
  expect(await isOwed()).toEqual([false, false]);
  expect(await broken(db)).toEqual([]);
});

test.each(['cancel-trade', 'remind-task'] as const)(
  'of two %s jobs about one thing that are canceled at once, the later sees that it was the last',
  async (name) => {
    const scene = await setUp();
    const { db, ledger } = scene;
    if (name === 'cancel-trade') {
      const orderId = await restingOrder(scene);
      await wishToCancel(scene, orderId);
      await wishToCancel(scene, orderId);
    } else {
      const { id: taskId } = await dueTask(scene);
      await transaction(db, (tx) =>
        ledger.enqueue(tx, remindTask, { taskId }, { requestId: null }),
      );
    }
    const [first = '', second = ''] = (await db.job.findMany()).map(({ id }) => id);
    const later = await transaction(db, async (tx) => {
      await cancelJob(tx, first);
      const waiting = cancel(db, second);
      await lockWaiter(db);
      return { waiting };
    });
    expect(await later.waiting).toMatchObject({ refusal: null });
    expect(await db.job.count()).toBe(0);
    expect(await broken(db)).toEqual([]);
  },
);
