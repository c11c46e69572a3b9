import { heldCash } from '@gatehouse/db/accounts';
import { requestCancel } from '@gatehouse/db/orders';
import { transaction } from '@gatehouse/db/transaction';
import type { Broker } from '@gatehouse/domain/broker';
import { cancelTrade } from '@gatehouse/jobs/definitions/cancel-trade';
import { createAlpacaBroker } from '@gatehouse/market/alpaca/broker';
import { createAlpacaClient } from '@gatehouse/market/alpaca/client';
import { type FakeAlpaca, startFakeAlpaca } from '@gatehouse/testing/alpaca';
import { expect, onTestFinished } from 'vitest';
import { startStack, type TestStack } from './stack.ts';

/** Short, so that what hangs is given up soon; and a breaker that never opens, since much is made to fail. */
const LIMITS = { headersMs: 1_000, totalMs: 1_500, retries: 0, failures: 1_000 };

export interface OutsideStack extends TestStack {
  alpaca: FakeAlpaca;
  broker: Broker;
  /** Has the broker be silent, until it resumes, from the end of the next submission on: nobody finds its order. */
  silentAfterSubmission(): void;
  /** Asks for a cancel as the gateway does. */
  cancel(accountId: string, orderId: string): Promise<void>;
  /** Dollars that the account's orders hold. */
  held(accountId: string): Promise<string>;
}

/** A stack whose new orders go to a fake Alpaca. */
export async function startOutside(settings: NodeJS.ProcessEnv = {}): Promise<OutsideStack> {
  const alpaca = await startFakeAlpaca();
  onTestFinished(() => alpaca.close());
  const client = createAlpacaClient({ url: alpaca.url, ...alpaca.keys, limits: LIMITS });
  onTestFinished(() => client.close());
  const adapter = createAlpacaBroker(client);
  let isSilentNext = false;
  const broker: Broker = {
    ...adapter,
    async submit(request, signal) {
      try {
        return await adapter.submit(request, signal);
      } finally {
        if (isSilentNext) alpaca.hang();
        isSilentNext = false;
      }
    },
  };
  const stack = await startStack({
    broker,
    settings: {
      BROKER: 'alpaca',
      ALPACA_KEY_ID: alpaca.keys.keyId,
      ALPACA_SECRET_KEY: alpaca.keys.secretKey,
      ALPACA_TRADING_URL: alpaca.url,
      ALPACA_DATA_URL: alpaca.url,
      ...settings,
    },
  });
  const { db, ledger } = stack;
  return {
    ...stack,
    alpaca,
    broker,
    silentAfterSubmission: () => {
      isSilentNext = true;
    },
    cancel: (accountId, orderId) =>
      transaction(db, async (tx) => {
        expect(await requestCancel(tx, accountId, orderId, new Date())).toBe(true);
        await ledger.enqueue(tx, cancelTrade, { orderId, accountId }, { requestId: null });
      }),
    held: async (accountId) => (await heldCash(db, accountId)).toFixed(),
  };
}
