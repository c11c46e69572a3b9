import { expect, test } from 'vitest';
import { createDomainPace } from '../src/mail/domain-pace.ts';
import { createTurns, type Turns } from '../src/mail/turns.ts';

const A = 'a.test';

/**
 * One mail at once to a domain, and a pause that is too long to wait for unless told otherwise. The clock stands still
 * unless one is given.
 */
function newTurns(now = () => 0, pauseMs = 2_000): Turns {
  const pauses = { firstMs: pauseMs, longestMs: pauseMs };
  const pace = createDomainPace({ atOnce: 1, domainPause: pauses, serverPause: pauses });
  return createTurns(pace, now);
}

test('when a place is free it is the urgent one’s, then that of those who came first', async () => {
  const turns = newTurns();
  const first = await turns.take(A, false);
  const order: string[] = [];
  const after = async (name: string, isUrgent: boolean): Promise<void> => {
    const turn = await turns.take(A, isUrgent);
    order.push(name);
    turn.end(null);
  };
  const all = [
    after('reminder 1', false),
    after('reminder 2', false),
    after('reset 1', true),
    after('reminder 3', false),
    after('reset 2', true),
  ];
  first.end(null);
  await Promise.all(all);
  expect(order).toEqual(['reset 1', 'reset 2', 'reminder 1', 'reminder 2', 'reminder 3']);
});

test('the urgent one comes back first when a pause is over, and so tries for all', async () => {
  const turns = newTurns();
  (await turns.take(A, false)).end('domain');
  const putOffMs = async (isUrgent: boolean): Promise<number> => {
    const reason: unknown = await turns.take(A, isUrgent).catch((error: unknown) => error);
    return Number(reason instanceof Error && Reflect.get(reason, 'retryInMs'));
  };
  const reminders = await Promise.all(Array.from({ length: 20 }, () => putOffMs(false)));
  expect(await putOffMs(true)).toBe(2_000);
  expect(Math.min(...reminders)).toBeGreaterThan(2_000);
});

test('a turn says how long it was waited for', async () => {
  let now = 0;
  const turns = newTurns(() => now);
  const first = await turns.take(A, false);
  const second = turns.take(A, false);
  now = 300;
  first.end(null);
  expect([first.waitedMs, (await second).waitedMs]).toEqual([0, 300]);
});

test('who waits for the end of a pause has his turn then, also when a timer comes early', async () => {
  // All timers are early by this clock, which is slow.
  const turns = newTurns(() => performance.now() * 0.8, 200);
  (await turns.take(A, true)).end('domain');
  const first = turns.take(A, true);
  const second = turns.take(A, false);
  (await first).end(null);
  (await second).end(null);
});
