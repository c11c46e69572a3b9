import type { FastifyBaseLogger } from 'fastify';
import { expect, test, vi } from 'vitest';
import { forgetAnswer, startDeposits } from './deposit-scene.ts';
import { freshKey, type Gateway } from './harness.ts';
import { kindOf } from './keyed-world.ts';

const PATH = 'POST /v1/payment_intents';

interface Line {
  level: 'warn' | 'error';
  details: unknown;
}

/** What the log of a gateway is told from now on, at `warn` and above. */
function watchLog({ app }: Gateway): Line[] {
  const lines: Line[] = [];
  const watch = (logger: FastifyBaseLogger): void => {
    for (const level of ['warn', 'error'] as const) {
      vi.spyOn(logger, level).mockImplementation((details: unknown) => {
        lines.push({ level, details });
      });
    }
  };
  watch(app.log);
  const child = app.log.child.bind(app.log);
  // Each request has a logger of its own.
  vi.spyOn(app.log, 'child').mockImplementation((...of) => {
    const made = child(...of);
    watch(made);
    return made;
  });
  return lines;
}

test('that Stripe is away is one line, with the reason and no stack, and no failure of ours', async () => {
  const { gateway, stripe, deposit } = await startDeposits();
  const lines = watchLog(gateway);
  stripe.fault(PATH, { status: 401 });
  expect(kindOf(await deposit())).toBe('503 payments_unavailable');
  const { id: depositId } = await gateway.db.deposit.findFirstOrThrow();
  const reason = 'Stripe does not accept STRIPE_SECRET_KEY (401)';
  expect(lines).toEqual([
    { level: 'warn', details: { reason, requestId: expect.any(String), depositId } },
  ]);

  const without = await gateway.replica({ STRIPE_SECRET_KEY: '' });
  const said = watchLog(without);
  expect(kindOf(await deposit({ at: without }))).toBe('503 payments_not_configured');
  expect(said).toEqual([{ level: 'warn', details: { requestId: expect.any(String) } }]);
});

test('what is wrong with our own books is not said to be the provider', async () => {
  const { gateway, deposit } = await startDeposits();
  const key = freshKey();
  await deposit({ key });
  await forgetAnswer(gateway);
  // Somebody has changed the row.
  await gateway.db.deposit.updateMany({ data: { paymentIntentId: 'pi_none' } });
  const lines = watchLog(gateway);
  expect(kindOf(await deposit({ key }))).toBe('500 internal_error');
  expect(lines).toMatchObject([
    { level: 'error', details: { err: { message: 'Stripe does not know pi_none any more' } } },
  ]);
});
