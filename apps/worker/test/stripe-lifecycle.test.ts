import { findAccount } from '@gatehouse/db/accounts';
import { hash32 } from '@gatehouse/domain/hash';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { expect, test } from 'vitest';
import { expectBalancedBooks } from './books.ts';
import { startStack } from './stack.ts';
import { acceptEvents, addDeposit, eventsOf, type TestEvent } from './stripe.ts';

const STEPS = [
  'created',
  'failed',
  'succeeded',
  'first refund',
  'second refund',
  'disputed',
  'decided',
] as const;
type Step = (typeof STEPS)[number];
const LIVES = 30;

const seed = (text: string): number => hash32(`lifecycle ${text}`);
const shuffled = (life: number): Step[] =>
  [...STEPS].sort((a, b) => seed(`${life} ${a}`) - seed(`${life} ${b}`));

/** A deposit of 100.00 into an account with 50.00, of which 40.00 are refunded and the rest disputed. */
function sayer(outcome: 'won' | 'lost', events: ReturnType<typeof eventsOf>) {
  return (step: Step): TestEvent => {
    switch (step) {
      case 'first refund':
        return events.refunded(2_500);
      case 'second refund':
        return events.refunded(4_000);
      case 'disputed':
        return events.disputed(6_000);
      case 'decided':
        return events.decided(6_000, outcome);
      default:
        return events[step]();
    }
  };
}

test('thirty orders of a lifecycle, told twice and more, end alike to the cent, with the same mails', async () => {
  const stack = await startStack();
  const { db, startWorker, allSettled } = stack;
  await Promise.all([startWorker(), startWorker()]);
  const lives = await Array.fromAsync({ length: LIVES }, async (_, life) => {
    const { accountId } = await createTestAccount(db, { cash: '50.00' });
    const deposit = await addDeposit(db, accountId, 10_000);
    const outcome = seed(`outcome ${life}`) % 2 === 0 ? ('won' as const) : ('lost' as const);
    const say = sayer(outcome, eventsOf(deposit, 10_000));
    return { accountId, deposit, outcome, say, steps: shuffled(life) };
  });
  for (const index of STEPS.keys()) {
    const told = lives.flatMap(({ say, steps }, life) => {
      const step = steps[index];
      if (step === undefined) return [];
      // Under another id, what was told now or before is told again.
      const again = steps[seed(`again ${life} ${index}`) % (index + 1)] ?? step;
      const once = say(step);
      return [once, once, say(step), say(again)];
    });
    await acceptEvents(stack, told);
    await allSettled(60_000);
    await expectBalancedBooks(db);
  }

  expect(await db.stripeEvent.count({ where: { status: 'processed' } })).toBe(LIVES * 7 * 3);
  expect(await db.stripeEvent.count()).toBe(LIVES * 7 * 3);
  for (const { accountId, deposit, outcome, steps } of lives) {
    const order = steps.join(', ');
    const { cash, owed } = await findAccount(db, accountId);
    const end = outcome === 'won' ? '110.00' : '50.00';
    expect([cash.toFixed(2), owed.toFixed(2)], order).toEqual([end, '0.00']);
    const row = await db.deposit.findUniqueOrThrow({ where: { id: deposit.id } });
    expect(row.status, order).toBe('succeeded');
    const mails = await db.email.findMany({ where: { accountId }, orderBy: { id: 'asc' } });
    const data = (template: string) =>
      mails.filter((mail) => mail.template === template).map((mail) => Object(mail.data));
    const isBefore = (a: Step, b: Step) => steps.indexOf(a) < steps.indexOf(b);
    expect(
      data('deposit-received').map(({ amount }) => amount),
      order,
    ).toEqual(['100.00 USD']);
    // A card that was declined before another was not is no news after it.
    expect(data('deposit-failed'), order).toHaveLength(isBefore('failed', 'succeeded') ? 1 : 0);
    const refunds = data('deposit-refunded').map(({ amount, total }) => `${amount} of ${total}`);
    // What was refunded by the time of the payment is taken at once.
    expect(refunds, order).toEqual(
      isBefore('first refund', 'second refund') && isBefore('succeeded', 'second refund')
        ? ['25.00 USD of 25.00 USD', '15.00 USD of 40.00 USD']
        : ['40.00 USD of 40.00 USD'],
    );
    const disputes = data('deposit-disputed').map((dispute) => dispute.outcome);
    expect(disputes, order).toEqual(['opened', outcome]);
    expect(mails.every(({ status }) => status === 'sent')).toBe(true);
  }
}, 240_000);
