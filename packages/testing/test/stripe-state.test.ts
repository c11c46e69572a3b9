import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startFakeStripe } from '../src/stripe/fake-stripe.ts';
import { connect, startReceiver } from './stripe-setup.ts';

function stateFile(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-fake-stripe-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'state.jsonl');
}

async function startOn(file: string, more: object = {}) {
  const fake = await startFakeStripe({ stateFile: file, apiKey: 'sk_test_state', ...more });
  onTestFinished(() => fake.close());
  return { fake, stripe: connect(fake) };
}

/** All that it knows. */
async function everything({ fake, stripe }: Awaited<ReturnType<typeof startOn>>) {
  const charges = fake.paymentIntents().flatMap(({ latest_charge: id }) => id ?? []);
  return structuredClone({
    intents: fake.paymentIntents(),
    refunds: fake.refunds(),
    disputes: fake.disputes(),
    events: fake.events(),
    charges: await Promise.all(
      charges.map(async (id) => ({ ...(await stripe.charges.retrieve(id)) })),
    ),
  });
}

test('one that starts where another was killed knows all that it knew, and goes on', async () => {
  const file = stateFile();
  const before = await startOn(file);
  const create = (key: string) =>
    before.stripe.paymentIntents.create(
      { amount: 1_000, currency: 'usd', metadata: { key } },
      { idempotencyKey: key },
    );
  const [disputed, refunded, open] = [await create('a'), await create('b'), await create('c')];
  for (const { id } of [disputed, refunded]) before.fake.pay(id);
  const dispute = before.fake.dispute(disputed.id);
  before.fake.refund(refunded.id, 300);
  before.fake.failRefund(before.fake.refund(refunded.id, 200).id);
  before.fake.fail(open.id);

  // Nothing is written at the end, so that a second one beside it sees what it would see after a kill.
  const after = await startOn(file);
  expect(await everything(after)).toEqual(await everything(before));
  const again = await after.stripe.paymentIntents.create(
    { amount: 1_000, currency: 'usd', metadata: { key: 'c' } },
    { idempotencyKey: 'c' },
  );
  expect(again.id).toBe(open.id);
  after.fake.pay(open.id);
  after.fake.closeDispute(dispute.id, 'won');
  expect(() => after.fake.refund(refunded.id, 701)).toThrow('greater than');

  // A line that was cut short was never answered, wherever it is.
  appendFileSync(file, '{"kind":"payment_int\n\nnull\n{"kind":"event","id":"evt_1"}\n');
  const later = await after.stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' });
  appendFileSync(file, '{"kind":"payment_int');
  const third = await startOn(file);
  expect(await everything(third)).toEqual(await everything(after));
  expect(third.fake.paymentIntents().at(-1)?.id).toBe(later.id);
});

test('one that starts delivers what the one before could not, and nothing that was dropped', async () => {
  const file = stateFile();
  const { endpoint, types, answerNext, received } = await startReceiver();
  const before = await startOn(file, { endpoint, retryDelaysMs: [] });
  before.fake.plan('charge.succeeded', 'dropped');
  const { id } = await before.stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' });
  const settled = (count: number) => expect.poll(() => received.length).toBe(count);
  await settled(1);
  answerNext(500);
  before.fake.pay(id);
  await settled(2);
  await before.fake.close();

  const after = await startOn(file, { endpoint });
  await settled(3);
  expect(types()[2]).toBe('payment_intent.succeeded');
  const pending = ({ fake }: typeof after) => fake.events().map((one) => one.pending_webhooks);
  await expect.poll(() => pending(after)).toEqual([0, 1, 0]);
  await after.fake.close();
  const third = await startOn(file, { endpoint });
  expect(pending(third)).toEqual([0, 1, 0]);
  for (const { id: event } of third.fake.events().slice(0, 2)) await third.fake.deliver(event);
  expect(types().slice(3)).toEqual(['payment_intent.created', 'charge.succeeded']);
  expect(pending(third)).toEqual([0, 0, 0]);
});
