import { expect, test } from 'vitest';
import { made, start, startWithReceiver } from './stripe-setup.ts';

test('a refund that fails is taken off what was refunded, once', async () => {
  const { stripe, fake, create, received, arrived } = await startWithReceiver();
  const { id } = await create(1_000);
  fake.pay(id);
  const [kept, failing] = [fake.refund(id, 300), fake.refund(id, 700)];
  const charge = () => stripe.charges.retrieve(kept.charge);
  expect(await charge()).toMatchObject({ amount_refunded: 1_000, refunded: true });
  expect(fake.failRefund(failing.id)).toMatchObject({ status: 'failed' });
  expect(await charge()).toMatchObject({ amount_refunded: 300, refunded: false });
  expect(await stripe.refunds.retrieve(failing.id)).toMatchObject({
    status: 'failed',
    failure_reason: 'expired_or_canceled_card',
  });
  expect((await stripe.refunds.retrieve(kept.id)).status).toBe('succeeded');
  expect(() => fake.failRefund(failing.id)).toThrow('failed already');
  expect(() => fake.failRefund('re_none')).toThrow('No such refund');

  await arrived(9);
  const types = ['refund.updated', 'refund.failed'];
  expect(made(fake).slice(-2)).toEqual(types);
  const sent = received.map(({ body }) => JSON.parse(body.toString()));
  for (const type of types) {
    expect(sent.filter((event) => event.type === type)).toMatchObject([
      { data: { object: { object: 'refund', id: failing.id, amount: 700, status: 'failed' } } },
    ]);
  }
  expect(fake.refund(id)).toMatchObject({ amount: 700 });
});

test('lists the refunds and disputes of one payment, newest first, page by page', async () => {
  const { stripe, fake, create } = await start();
  const [one, other] = [await create(1_000), await create(1_000)];
  for (const { id } of [one, other]) fake.pay(id);
  const refunds = [100, 200, 300].map((amount) => fake.refund(one.id, amount).id);
  const foreign = fake.refund(other.id, 50);
  const first = await stripe.refunds.list({ payment_intent: one.id, limit: 2 });
  expect(first.data.map(({ id }) => id)).toEqual([refunds[2], refunds[1]]);
  expect(first.has_more).toBe(true);
  const walked: string[] = [];
  for await (const { id } of stripe.refunds.list({ payment_intent: one.id, limit: 2 })) {
    walked.push(id);
  }
  expect(walked).toEqual(refunds.toReversed());
  const ofCharge = await stripe.refunds.list({ charge: foreign.charge });
  expect(ofCharge.data.map(({ id }) => id)).toEqual([foreign.id]);
  expect((await stripe.refunds.list()).data).toHaveLength(4);

  const [dispute, foreignDispute] = [fake.dispute(one.id), fake.dispute(other.id)];
  const disputes = await stripe.disputes.list({ payment_intent: one.id });
  expect(disputes.data).toMatchObject([{ id: dispute.id, amount: 400 }]);
  const ofOther = await stripe.disputes.list({ charge: foreignDispute.charge });
  expect(ofOther.data.map(({ id }) => id)).toEqual([foreignDispute.id]);
  expect((await stripe.disputes.list({ payment_intent: 'pi_none' })).data).toEqual([]);
  await expect(stripe.rawRequest('GET', '/v1/refunds?customer=cus_1')).rejects.toMatchObject({
    code: 'parameter_unknown',
  });
});
