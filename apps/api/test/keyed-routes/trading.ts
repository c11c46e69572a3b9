import { newId } from '@gatehouse/domain/id';
import { freshKey, order } from '../harness.ts';
import { bodies, type KeyedRoute, type Kit } from './keyed-route.ts';

async function placedOrder({ person }: Kit): Promise<string> {
  const { body } = await person.call('POST', '/v1/orders', { body: order(), headers: freshKey() });
  return body.id;
}

/** Orders, and the deposits that pay for them. */
export const TRADING: readonly KeyedRoute[] = [
  {
    method: 'POST',
    route: '/v1/orders',
    role: 'user',
    status: 201,
    effect: ['INSERT event', 'INSERT job', 'INSERT order'],
    isRequired: true,
    hasLocation: true,
    prepare: bodies(
      '/v1/orders',
      { symbol: 'AAPL', side: 'buy', type: 'limit', quantity: '3', limitPrice: '187.5' },
      { quantity: '4' },
    ),
    respell: { quantity: 3, limitPrice: '187.50', timeInForce: 'day', positionType: 'stock' },
  },
  {
    method: 'POST',
    route: '/v1/deposits',
    role: 'user',
    status: 201,
    effect: ['DELETE job', 'INSERT deposit', 'INSERT event', 'INSERT job', 'UPDATE deposit'],
    isRequired: true,
    hasRecoveryPoint: true,
    hasLocation: true,
    prepare: bodies('/v1/deposits', { amount: 2500, currency: 'usd' }, { amount: 2600 }),
  },
  {
    method: 'POST',
    route: '/v1/orders/:id/cancel',
    role: 'user',
    status: 202,
    effect: ['INSERT job', 'UPDATE order'],
    prepare: async (kit) => ({
      ask: { path: `/v1/orders/${await placedOrder(kit)}/cancel` },
      other: { path: `/v1/orders/${await placedOrder(kit)}/cancel` },
    }),
    refused: { path: `/v1/orders/${newId()}/cancel`, status: 404 },
  },
];
