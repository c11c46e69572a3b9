import { expect, test } from 'vitest';
import { made, start } from './stripe-setup.ts';

test('refunds add up, and never exceed what was paid', async () => {
  const { stripe, fake, create } = await start();
  const { id } = await create(1_000);
  await expect(stripe.refunds.create({ payment_intent: id })).rejects.toThrow('successful charge');
  fake.pay(id);
  const first = await stripe.refunds.create({ payment_intent: id, amount: 300 });
  expect(first).toMatchObject({ amount: 300, status: 'succeeded', payment_intent: id });
  await expect(stripe.refunds.create({ payment_intent: id, amount: 701 })).rejects.toMatchObject({
    type: 'StripeInvalidRequestError',
    param: 'amount',
  });
  expect(fake.refund(id, 200)).toMatchObject({ amount: 200 });
  expect(await stripe.refunds.create({ charge: String(first.charge) })).toMatchObject({
    amount: 500,
  });
  await expect(stripe.refunds.create({ payment_intent: id })).rejects.toMatchObject({
    code: 'charge_already_refunded',
  });
  const refunded = fake.events().filter(({ type }) => type === 'charge.refunded');
  expect(refunded.map(({ data }) => data)).toMatchObject([
    {
      object: { amount_refunded: 300, refunded: false },
      previous_attributes: { amount_refunded: 0 },
    },
    {
      object: { amount_refunded: 500, refunded: false },
      previous_attributes: { amount_refunded: 300 },
    },
    {
      object: { amount_refunded: 1_000, refunded: true },
      previous_attributes: { amount_refunded: 500 },
    },
  ]);
  expect(made(fake).filter((type) => type === 'refund.created')).toHaveLength(3);
});

test('a dispute takes what is not refunded, and gives it back when it is won', async () => {
  const { stripe, fake, create } = await start();
  const [won, lost] = [await create(1_000), await create(3_000)];
  for (const { id } of [won, lost]) fake.pay(id);
  fake.refund(won.id, 400);
  const dispute = fake.dispute(won.id);
  expect(dispute).toMatchObject({ amount: 600, status: 'needs_response', payment_intent: won.id });
  expect(await stripe.charges.retrieve(dispute.charge)).toMatchObject({ disputed: true });
  await expect(stripe.refunds.create({ payment_intent: won.id })).rejects.toMatchObject({
    code: 'charge_disputed',
  });
  expect(() => fake.dispute(won.id)).toThrow('disputed already');
  const other = fake.dispute(lost.id);
  fake.closeDispute(dispute.id, 'won');
  fake.closeDispute(other.id, 'lost');
  expect(() => fake.closeDispute(dispute.id, 'lost')).toThrow('won already');
  const retrieved = await stripe.disputes.retrieve(dispute.id);
  expect(retrieved.status).toBe('won');
  expect(retrieved.balance_transactions.map(({ amount }) => amount)).toEqual([-600, 600]);
  expect((await stripe.disputes.retrieve(other.id)).status).toBe('lost');
  const of = (id: string) =>
    fake.events().flatMap(({ type, data }) => (data.object.id === id ? [type] : []));
  const opened = ['charge.dispute.created', 'charge.dispute.funds_withdrawn'];
  expect(of(other.id)).toEqual([...opened, 'charge.dispute.closed']);
  expect(of(dispute.id)).toEqual([
    ...opened,
    'charge.dispute.closed',
    'charge.dispute.funds_reinstated',
  ]);
});
