import { expect, test } from 'vitest';
import { GroupCommit } from '../src/group-commit.ts';

/** A commit that ends when it is told to. */
function controlled(isFaultOfOne = (_: unknown) => true) {
  const batches: { items: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const group = new GroupCommit<number, string>({
    maxBatch: 3,
    isFaultOfOne,
    commit: (items) => {
      const end = Promise.withResolvers<readonly string[]>();
      batches.push({ items, end });
      return end.promise;
    },
  });
  const succeed = (index: number) =>
    batches[index]?.end.resolve(batches[index].items.map((item) => `done ${item}`));
  const fail = (index: number, error: Error) => batches[index]?.end.reject(error);
  return { group, succeed, fail, seen: () => batches.map(({ items }) => [...items]) };
}

test('a lone item is committed at once, what comes meanwhile shares the next, up to the limit', async () => {
  const { group, succeed, seen } = controlled();
  const results = [1, 2, 3, 4, 5].map((item) => group.add(item));
  expect(seen()).toEqual([[1]]);
  succeed(0);
  expect(await results[0]).toBe('done 1');
  await expect.poll(seen).toEqual([[1], [2, 3, 4]]);
  succeed(1);
  expect(await Promise.all(results.slice(1, 4))).toEqual(['done 2', 'done 3', 'done 4']);
  await expect.poll(seen).toEqual([[1], [2, 3, 4], [5]]);
  succeed(2);
  expect(await results[4]).toBe('done 5');
  const later = group.add(6);
  await expect.poll(seen).toHaveLength(4);
  succeed(3);
  expect(await later).toBe('done 6');
});

test('when one may be to blame each is committed alone, and only the bad one fails', async () => {
  const { group, succeed, fail, seen } = controlled();
  const first = group.add(0);
  const outcomes = Promise.allSettled([1, 2, 3].map((item) => group.add(item)));
  succeed(0);
  await first;
  await expect.poll(seen).toHaveLength(2);
  fail(1, new Error('duplicate'));
  await expect.poll(seen).toEqual([[0], [1, 2, 3], [1]]);
  succeed(2);
  await expect.poll(seen).toHaveLength(4);
  fail(3, new Error('duplicate 2'));
  await expect.poll(seen).toHaveLength(5);
  succeed(4);
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
});

test('when none is to blame all fail, none is tried again, and the next is committed as ever', async () => {
  const { group, succeed, fail, seen } = controlled(() => false);
  const first = group.add(0);
  const outcomes = Promise.allSettled([1, 2].map((item) => group.add(item)));
  succeed(0);
  await first;
  await expect.poll(seen).toHaveLength(2);
  fail(1, new Error('the database is away'));
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const next = group.add(3);
  await expect.poll(seen).toEqual([[0], [1, 2], [3]]);
  succeed(2);
  expect(await next).toBe('done 3');
});
