import { newId } from '@gatehouse/domain/id';
import { bodies, type KeyedRoute } from './keyed-route.ts';

export const API_KEYS: readonly KeyedRoute[] = [
  {
    method: 'POST',
    route: '/v1/api-keys',
    role: 'user',
    status: 201,
    effect: ['INSERT api_key', 'INSERT audit_entry'],
    prepare: bodies('/v1/api-keys', { name: 'laptop', scopes: ['tasks:read'] }, { name: 'phone' }),
  },
  {
    method: 'POST',
    route: '/v1/api-keys/:id/rotate',
    role: 'user',
    status: 200,
    effect: ['INSERT audit_entry', 'UPDATE api_key'],
    prepare: async ({ person }) => {
      const { body } = await person.call('POST', '/v1/api-keys', { body: { name: 'laptop' } });
      const path = `/v1/api-keys/${body.id}/rotate`;
      return { ask: { path, body: {} }, other: { path, body: { overlapSeconds: 60 } } };
    },
    respell: { overlapSeconds: 86_400 },
    refused: { path: `/v1/api-keys/${newId()}/rotate`, body: {}, status: 404 },
  },
];
