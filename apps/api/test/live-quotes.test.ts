import { savePositions } from '@gatehouse/db/positions';
import { transaction } from '@gatehouse/db/transaction';
import { decimal } from '@gatehouse/domain/decimal';
import { startFakeAlpaca } from '@gatehouse/testing/alpaca';
import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from './harness.ts';

async function setUp() {
  const alpaca = await startFakeAlpaca();
  onTestFinished(alpaca.close);
  const gateway = await startGateway({
    QUOTES: 'alpaca',
    ALPACA_KEY_ID: alpaca.keys.keyId,
    ALPACA_SECRET_KEY: alpaca.keys.secretKey,
    ALPACA_DATA_URL: alpaca.url,
  });
  const client = await gateway.client();
  const { accountId } = client;
  const held = { quantity: decimal('2'), costBasis: decimal('180.00'), realizedPnl: decimal('0') };
  await transaction(gateway.db, (tx) =>
    savePositions(
      tx,
      ['AAPL', 'ZZZZ'].map((symbol) => ({ accountId, symbol, positionType: 'stock', ...held })),
      new Date(),
    ),
  );
  return { alpaca, client };
}

test('quotes and values come from the live source', async () => {
  const { alpaca, client } = await setUp();
  alpaca.setPrice('AAPL', '150.10', '150.20');
  const { status, body } = await client.call('GET', '/v1/quotes/AAPL');
  expect([status, body]).toMatchObject([200, { bid: '150.10', ask: '150.20', source: 'alpaca' }]);
  const position = await client.call('GET', '/v1/positions/AAPL');
  expect(Number(position.body.marketValue)).toBeGreaterThan(300);
});

test('a symbol that has no quote, and a source that is away, take nothing from an account but the prices', async () => {
  const { alpaca, client } = await setUp();
  alpaca.setPrice('ZZZZ', '0', '0');
  expect(await client.call('GET', '/v1/quotes/ZZZZ')).toMatchObject({
    status: 404,
    body: { code: 'not_found' },
  });
  await alpaca.close();
  const away = await client.call('GET', '/v1/quotes/MSFT');
  expect([away.status, away.body.code, away.headers.get('retry-after')]).toEqual([
    503,
    'service_unavailable',
    '2',
  ]);
  const positions = await client.call('GET', '/v1/positions');
  const unpriced = { marketPrice: null, marketValue: null, unrealizedPnl: null };
  expect(positions.body.data).toMatchObject([
    { symbol: 'ZZZZ', averageEntryPrice: '90.00', ...unpriced },
    { symbol: 'AAPL', averageEntryPrice: '90.00', ...unpriced },
  ]);
  expect((await client.call('GET', '/v1/account')).body.equity).toBe('100360.00');
});
