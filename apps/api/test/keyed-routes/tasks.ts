import { newId } from '@gatehouse/domain/id';
import { bodies, type KeyedRoute } from './keyed-route.ts';

export const TASKS: readonly KeyedRoute[] = [
  {
    method: 'POST',
    route: '/v1/tasks',
    role: 'user',
    status: 201,
    effect: ['INSERT event', 'INSERT task'],
    hasLocation: true,
    prepare: bodies('/v1/tasks', { title: 'Buy milk' }, { title: 'Buy bread' }),
    respell: { status: 'TODO', priority: 0 },
  },
  {
    method: 'PATCH',
    route: '/v1/tasks/:id',
    role: 'user',
    status: 200,
    effect: ['INSERT event', 'UPDATE task'],
    prepare: async ({ person }) => {
      const { body } = await person.call('POST', '/v1/tasks', { body: { title: 'Buy milk' } });
      const path = `/v1/tasks/${body.id}`;
      return {
        ask: { path, body: { title: 'Buy bread', priority: 2 } },
        other: { path, body: { title: 'Buy salt' } },
      };
    },
    refused: { path: `/v1/tasks/${newId()}`, body: { title: 'Buy bread' }, status: 404 },
  },
];
