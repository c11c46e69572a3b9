import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { Forbidden } from '../../errors.ts';
import type { AdminSessions } from './session.ts';

export const BOARD_PATH = '/admin/queues';

interface BoardOptions {
  sessions: AdminSessions;
}

/** Bull Board over every queue: for operators to read, for admins to act. It has no authentication of its own. */
export async function board(app: FastifyInstance, { sessions }: BoardOptions): Promise<void> {
  app.addHook('onRequest', async (request, reply) => {
    const role = await sessions.role(request);
    if (role === null) return reply.redirect('/admin/login');
    request.isReadOnlyBoard = role === 'operator';
    if (request.isReadOnlyBoard && request.method !== 'GET') {
      throw new Forbidden('Operators may look at the queues; to act on them takes an admin');
    }
    return undefined;
  });
  // Bull Board fixes read-only per queue when it is built; here it depends on who looks.
  app.addHook(
    'preSerialization',
    async (request, _reply, payload: { queues?: object[] } | null) => {
      if (!request.isReadOnlyBoard || !Array.isArray(payload?.queues)) return payload;
      return {
        ...payload,
        queues: payload.queues.map((queue) => ({ ...queue, readOnlyMode: true })),
      };
    },
  );

  const adapter = new FastifyAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    queues: Object.values(app.queues).map((queue) => new BullMQAdapter(queue)),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Gatehouse' } },
  });
  await app.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
}
