import { expect, onTestFinished, test } from 'vitest';
import { type FakeAlpaca, startFakeAlpaca } from '../src/alpaca.ts';

const ORDER = { symbol: 'AAPL', qty: '10', side: 'buy', type: 'market', time_in_force: 'day' };

async function start() {
  const alpaca = await startFakeAlpaca();
  onTestFinished(() => alpaca.close());
  const submit = (
    clientOrderId: string,
    changes: object = {},
    { keyId, secretKey } = alpaca.keys,
  ) =>
    fetch(`${alpaca.url}/v2/orders`, {
      method: 'POST',
      headers: { 'apca-api-key-id': keyId, 'apca-api-secret-key': secretKey },
      body: JSON.stringify({ ...ORDER, client_order_id: clientOrderId, ...changes }),
    });
  return { alpaca, submit };
}

const statuses = (alpaca: FakeAlpaca) => alpaca.orders().map(({ status }) => status);

test('fills at once what the market takes, and nothing else', async () => {
  const { alpaca, submit } = await start();
  alpaca.setPrice('AAPL', '9.99', '10.00');
  await submit('a');
  await submit('b', { type: 'limit', limit_price: '10.00' });
  await submit('c', { type: 'limit', limit_price: '9.99' });
  await submit('d', { type: 'limit', limit_price: '9.99', side: 'sell' });
  await submit('e', { type: 'limit', limit_price: '9.99', time_in_force: 'ioc' });
  expect(statuses(alpaca)).toEqual(['filled', 'filled', 'new', 'filled', 'canceled']);
});

test('fills by hand no more than there is', async () => {
  const { alpaca, submit } = await start();
  alpaca.filling = 'by hand';
  await submit('a');
  alpaca.fill('a', '4', '10');
  expect(() => alpaca.fill('a', '6.1', '10')).toThrow('cannot be filled');
  expect(statuses(alpaca)).toEqual(['partially_filled']);
  alpaca.fill('a', '6', '10');
  expect(statuses(alpaca)).toEqual(['filled']);
  expect(() => alpaca.fill('a', '1', '10')).toThrow('is filled');
  expect(() => alpaca.end('a', 'canceled')).toThrow('is filled');
  expect(() => alpaca.fill('b', '1', '10')).toThrow('no order');
});

test('takes an id once, and meets no duplicate as it was told to meet the next order', async () => {
  const { alpaca, submit } = await start();
  alpaca.onSubmit('accept', 'busy');
  const answers = [await submit('a'), await submit('a', { qty: '5' }), await submit('b')];
  expect(answers.map(({ status }) => status)).toEqual([200, 422, 429]);
  expect(await answers[1]?.json()).toEqual({
    code: 40010001,
    message: 'client_order_id must be unique',
  });
  expect([alpaca.submissions(), alpaca.orders().length]).toEqual([3, 1]);
});

test('lets nobody in without its keys', async () => {
  const { alpaca, submit } = await start();
  const { status } = await submit('a', {}, { ...alpaca.keys, secretKey: 'guess' });
  expect([status, alpaca.orders()]).toEqual([401, []]);
});
