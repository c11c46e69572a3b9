import { decimal } from '@gatehouse/domain/decimal';
import { scriptedServer } from '@gatehouse/testing/scripted-server';
import { describe, expect, test } from 'vitest';
import {
  ALWAYS,
  brokerOf,
  buy,
  failureOf,
  fakeAlpaca,
  fakeBroker,
  IMPATIENT,
  orderOf,
} from './parts.ts';

test('an order is given to Alpaca as it was asked for', async () => {
  const { alpaca, broker } = await fakeBroker();
  const order = await broker.submit(
    {
      ...buy('a', { symbol: 'BRK.B', side: 'sell', quantity: decimal('2') }),
      type: 'limit',
      limitPrice: decimal('99.5'),
    },
    ALWAYS,
  );
  expect(alpaca.orders()).toEqual([
    {
      id: order.id,
      clientOrderId: 'a',
      symbol: 'BRK.B',
      side: 'sell',
      type: 'limit',
      quantity: '2',
      filledQuantity: '2',
      status: 'filled',
    },
  ]);
  expect(JSON.parse(JSON.stringify(order))).toEqual({
    id: order.id,
    clientOrderId: 'a',
    status: 'filled',
    filledQuantity: '2',
    averageFillPrice: '99.9',
  });
});

test('every term is sent in the words of the Trading API, with the keys', async () => {
  const server = await scriptedServer({ status: 200, body: orderOf('a') });
  const limit = { type: 'limit', limitPrice: decimal('150') } as const;
  await brokerOf(server.url).submit(
    { ...buy('a', { quantity: decimal('0.5'), timeInForce: 'gtc' }), ...limit },
    ALWAYS,
  );
  await brokerOf(server.url).submit(buy('a'), ALWAYS);
  expect(server.requests.map(({ body }) => JSON.parse(body))).toEqual([
    {
      symbol: 'AAPL',
      qty: '0.5',
      side: 'buy',
      type: 'limit',
      time_in_force: 'gtc',
      limit_price: '150.00',
      client_order_id: 'a',
    },
    {
      symbol: 'AAPL',
      qty: '3',
      side: 'buy',
      type: 'market',
      time_in_force: 'day',
      client_order_id: 'a',
    },
  ]);
  expect(server.requests[0]?.headers).toMatchObject({
    'apca-api-key-id': 'PKTESTKEYID',
    'apca-api-secret-key': 'test-secret-key',
    'content-type': 'application/json',
  });
});

test('an order is followed from its fills to its end', async () => {
  const { alpaca, broker } = await fakeBroker();
  alpaca.filling = 'by hand';
  await broker.submit(buy('a', { quantity: decimal(10) }), ALWAYS);
  const seen = async () => {
    const order = await broker.find('a', ALWAYS);
    return [order?.status, order?.filledQuantity.toFixed(), order?.averageFillPrice?.toFixed()];
  };
  expect(await seen()).toEqual(['open', '0', undefined]);
  alpaca.fill('a', '4', '100');
  expect(await seen()).toEqual(['open', '4', '100']);
  alpaca.fill('a', '4', '101');
  expect(await seen()).toEqual(['open', '8', '100.5']);
  alpaca.end('a', 'expired');
  expect(await seen()).toEqual(['expired', '8', '100.5']);
});

test('an order that Alpaca does not have is not found', async () => {
  const { broker } = await fakeBroker();
  await broker.submit(buy('a'), ALWAYS);
  expect(await broker.find('a&client_order_id=b', ALWAYS)).toBeNull();
  expect((await broker.find('a', ALWAYS))?.clientOrderId).toBe('a');
});

test('a cancellation ends an open order, and is a matter of course for one that is over', async () => {
  const { alpaca, broker } = await fakeBroker();
  alpaca.filling = 'by hand';
  const { id } = await broker.submit(buy('a'), ALWAYS);
  await broker.cancel(id, ALWAYS);
  expect((await broker.find('a', ALWAYS))?.status).toBe('canceled');
  await broker.cancel(id, ALWAYS);
  await broker.cancel('00000000-0000-0000-0000-000000000000', ALWAYS);
});

describe('an order that Alpaca has already', () => {
  test.each(['fail after accepting', 'hang after accepting'] as const)(
    'is found when its answer was lost: %s',
    async (behaviour) => {
      const { alpaca, broker } = await fakeBroker();
      alpaca.onSubmit(behaviour);
      const impatient = brokerOf(alpaca.url, IMPATIENT, alpaca.keys);
      expect((await failureOf(impatient.submit(buy('a'), ALWAYS))).name).toBe('OutcomeUnknown');
      const found = await broker.submit(buy('a'), ALWAYS);
      expect(alpaca.orders().map(({ id }) => id)).toEqual([found.id]);
      expect([found.status, alpaca.submissions()]).toEqual(['filled', 2]);
    },
  );

  test.each([
    ['symbol', { symbol: 'MSFT' }],
    ['side', { side: 'sell' }],
    ['quantity', { quantity: decimal(4) }],
  ] as const)('with another %s is somebody else’s', async (_, changes) => {
    const { broker } = await fakeBroker();
    await broker.submit(buy('a'), ALWAYS);
    const failure = await failureOf(broker.submit(buy('a', changes), ALWAYS));
    expect([failure.name, failure.message]).toEqual([
      'Error',
      expect.stringMatching(/another order.* a: buy 3 AAPL/),
    ]);
  });

  test.each([
    ['cannot be asked for', { status: 500 }],
    ['is not found', { status: 404, body: { code: 40410000, message: 'order not found' } }],
    ['cannot be read', { status: 200, body: {} }],
    ['may not be asked for', { status: 401 }],
  ])('and that %s has an unknown outcome', async (_, answer) => {
    const duplicate = { code: 40010001, message: 'client_order_id must be unique' };
    const server = await scriptedServer({ status: 422, body: duplicate }, answer);
    const failure = await failureOf(brokerOf(server.url).submit(buy('a'), ALWAYS));
    expect(failure.name).toBe('OutcomeUnknown');
    expect(server.requests.map(({ method }) => method).slice(0, 2)).toEqual(['POST', 'GET']);
  });
});

test.each([
  ['hang before accepting', 'OutcomeUnknown', 0],
  ['hang after accepting', 'OutcomeUnknown', 1],
  ['fail before accepting', 'OutcomeUnknown', 0],
  ['fail after accepting', 'OutcomeUnknown', 1],
  ['refuse', 'BrokerRejection', 0],
  ['busy', 'BrokerUnavailable', 0],
] as const)('a broker that will %s: %s', async (behaviour, kind, orders) => {
  const { alpaca, broker } = await fakeBroker(IMPATIENT);
  alpaca.onSubmit(behaviour);
  expect((await failureOf(broker.submit(buy('a'), ALWAYS))).name).toBe(kind);
  expect([alpaca.orders().length, alpaca.submissions()]).toEqual([orders, 1]);
});

test('wrong keys are an error of the configuration, in which they are not repeated', async () => {
  const alpaca = await fakeAlpaca();
  const failure = await failureOf(brokerOf(alpaca.url).submit(buy('a'), ALWAYS));
  expect([failure.name, failure.message]).toEqual(['Error', expect.stringContaining('401')]);
  expect(alpaca.orders()).toEqual([]);
});
