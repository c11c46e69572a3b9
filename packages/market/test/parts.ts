import type { BrokerOrderRequest } from '@gatehouse/domain/broker';
import { decimal } from '@gatehouse/domain/decimal';
import { type FakeAlpaca, startFakeAlpaca } from '@gatehouse/testing/alpaca';
import type { Script } from '@gatehouse/testing/scripted-server';
import { onTestFinished } from 'vitest';
import { createAlpacaBroker } from '../src/alpaca/broker.ts';
import { type AlpacaClient, createAlpacaClient } from '../src/alpaca/client.ts';
import type { AlpacaLimits } from '../src/alpaca/limits.ts';

export const KEYS = { keyId: 'PKTESTKEYID', secretKey: 'test-secret-key' };

/** Nobody gives the request up. */
export const ALWAYS = new AbortController().signal;

/** A breaker that stays out of the way, and retries that do not keep a test waiting. */
const QUICK: Partial<AlpacaLimits> = { failures: 1_000, firstRetryMs: 5 };

/** For calls that are never answered. */
export const IMPATIENT: Partial<AlpacaLimits> = { totalMs: 400 };

/** What it takes to see a script through without losing time, or the answer on a busy machine. */
export function patienceFor(script: Script): Partial<AlpacaLimits> {
  return script === 'hang' || script === 'stop' ? IMPATIENT : {};
}

/** A client that is closed when the test ends. */
export function clientOf(
  url: string,
  limits: Partial<AlpacaLimits> = {},
  keys = KEYS,
): AlpacaClient {
  const client = createAlpacaClient({ url, ...keys, limits: { ...QUICK, ...limits } });
  onTestFinished(() => client.close());
  return client;
}

export function brokerOf(url: string, limits?: Partial<AlpacaLimits>, keys?: typeof KEYS) {
  return createAlpacaBroker(clientOf(url, limits, keys));
}

/** A fake Alpaca, until the test ends, and a broker with its keys. */
export async function fakeBroker(limits?: Partial<AlpacaLimits>) {
  const alpaca = await fakeAlpaca();
  return { alpaca, broker: brokerOf(alpaca.url, limits, alpaca.keys) };
}

export async function fakeAlpaca(): Promise<FakeAlpaca> {
  const alpaca = await startFakeAlpaca();
  onTestFinished(() => alpaca.close());
  return alpaca;
}

export function buy(
  clientOrderId: string,
  changes: Partial<Omit<BrokerOrderRequest, 'type' | 'limitPrice'>> = {},
): BrokerOrderRequest {
  return {
    clientOrderId,
    symbol: 'AAPL',
    side: 'buy',
    type: 'market',
    quantity: decimal(3),
    timeInForce: 'day',
    positionType: 'stock',
    ...changes,
  };
}

/** An order as the Trading API shows it. */
export function orderOf(clientOrderId: string, changes: object = {}): object {
  return {
    id: '61e69015-8549-4bfd-b9c3-01e75843f47d',
    client_order_id: clientOrderId,
    symbol: 'AAPL',
    side: 'buy',
    qty: '3',
    filled_qty: '0',
    filled_avg_price: null,
    status: 'new',
    ...changes,
  };
}

/**
 * What a promise is rejected with.
 *
 * @throws when it is not
 */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof Error) return outcome.error;
  throw new Error(`it was not rejected with an error: ${JSON.stringify(outcome)}`);
}
