import { newId } from '@gatehouse/domain/id';
import { expect, test } from 'vitest';
import { parseDispatchId } from '../src/carried-jobs.ts';
import { dispatchId } from '../src/queues.ts';

test('the id that BullMQ has of a dispatch tells its job and its generation', () => {
  for (const generation of [0, 7, 1_234_567]) {
    const dispatch = { id: newId(), generation };
    expect(parseDispatchId(dispatchId(dispatch))).toEqual(dispatch);
  }
});

test.each([
  '',
  '17',
  'repeat:match-resting-orders:1795000000000',
  newId(),
  `${newId()}-`,
  `${newId()}-late`,
  `x${newId()}-0`,
  `${newId()}-99999999999999999999`,
])('%s is no dispatch of the ledger', (id) => {
  expect(parseDispatchId(id)).toBeNull();
});
