import { expect, test } from 'vitest';
import { nextRetryMs } from '../src/backoff.ts';
import { CATALOGUE } from '../src/catalogue.ts';
import { QUEUES } from '../src/definition.ts';
import { dispatchId, queuePrefix } from '../src/queues.ts';

test('names are unique, in kebab-case, and every queue has work', () => {
  const names = CATALOGUE.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(new Set(CATALOGUE.map(({ queue }) => queue))).toEqual(new Set(QUEUES));
});

test('the subject of a job is in its payload', () => {
  for (const definition of CATALOGUE) {
    if (definition.kind === 'job') {
      expect(Object.keys(definition.payload.properties)).toContain(definition.subject);
    }
  }
});

test('a BullMQ id has no colon, is not all digits, and differs by generation', () => {
  const id = '00000000-0000-7000-8000-000000000000';
  const ids = [0, 1, 2].map((generation) => dispatchId({ id, generation }));
  expect(new Set(ids).size).toBe(3);
  for (const one of ids) expect(one).toMatch(/^(?!\d+$)[^:]+$/);
  expect(queuePrefix('mail')).toMatch(/^\{.+\}$/);
});

test('retries wait longer each time, up to a limit, and end', () => {
  const policy = { attempts: 5, backoffMs: 100, maxBackoffMs: 400 };
  const longest = [1, 2, 3, 4, 5, 6].map((failures) => nextRetryMs(policy, failures, 0.999_999));
  const shortest = [1, 2, 3, 4, 5, 6].map((failures) => nextRetryMs(policy, failures, 0));
  expect(longest).toEqual([100, 200, 400, 400, null, null]);
  expect(shortest).toEqual([50, 100, 200, 200, null, null]);
});
