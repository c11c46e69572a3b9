import { expect, test } from 'vitest';
import { until } from '../src/condition.ts';

test('gives the value that the condition became', async () => {
  let calls = 0;
  const value = await until(() => (++calls === 3 ? { calls } : null), { what: 'the third call' });
  expect(value).toEqual({ calls: 3 });
});

test('says what it waited for and what it last saw', async () => {
  const waiting = until(() => 0, { timeoutMs: 20, what: 'an order' });
  await expect(waiting).rejects.toThrow('waited 20 ms for an order; the last check was 0');
});

test('takes a check that throws for a no and gives the error as the cause', async () => {
  const refusal = new Error('connection refused');
  const check = () => Promise.reject<boolean>(refusal);
  const waiting = until(check, { timeoutMs: 20, what: 'an answer' });
  await expect(waiting).rejects.toMatchObject({ cause: refusal });
});
