import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyError, FastifyInstance } from 'fastify';
import { Forbidden, Internal, PROBLEMS } from '../../errors.ts';
import { publicError } from '../../problem.ts';
import { LedgerQueueAdapter } from './ledger-queue-adapter.ts';
import type { AdminSessions, Visitor } from './session.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who looks at the board; null before it is known. */
    visitor: Visitor | null;
  }
}

export const BOARD_PATH = '/admin/queues';

/** What Bull Board answers an error with; all others become 500. */
const STATUSES = [400, 403, 404, 405, 409, 500] as const;

interface BoardOptions {
  sessions: AdminSessions;
}

/** Bull Board over every queue: for operators to read, for admins to act. It has no authentication of its own. */
export async function board(app: FastifyInstance, { sessions }: BoardOptions): Promise<void> {
  app.decorateRequest('visitor', null);
  app.addHook('onRequest', async (request, reply) => {
    request.visitor = await sessions.visitor(request);
    if (request.visitor === null) return reply.redirect('/admin/login');
    if (request.visitor.role === 'operator' && request.method !== 'GET') {
      throw new Forbidden('Operators may look at the queues; to act on them takes an admin');
    }
    return undefined;
  });
  // Bull Board fixes read-only per queue when it is built; here it depends on who looks.
  app.addHook(
    'preSerialization',
    async (request, _reply, payload: { queues?: object[] } | null) => {
      if (request.visitor?.role !== 'operator' || !Array.isArray(payload?.queues)) return payload;
      return {
        ...payload,
        queues: payload.queues.map((queue) => ({ ...queue, readOnlyMode: true })),
      };
    },
  );
  app.addHook('onResponse', async (request, reply) => {
    if (request.visitor === null || request.method === 'GET') return;
    request.log.info(
      {
        userId: request.visitor.userId,
        action: action(request.routeOptions.url ?? request.url),
        ...(typeof request.params === 'object' && request.params),
        status: reply.statusCode,
      },
      'somebody acted on the queues',
    );
  });

  const adapter = new FastifyAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    queues: Object.values(app.queues).map(
      (queue) => new LedgerQueueAdapter({ db: app.db, queue, log: app.log }),
    ),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Gatehouse' } },
  });
  adapter.setErrorHandler((error) => {
    const shown = publicError(isFastifyError(error) ? error : new Internal());
    const problem = PROBLEMS.get(shown.code);
    const status = STATUSES.find((known) => known === problem?.status) ?? 500;
    if (status === 500) app.log.error({ err: error }, 'the board met an error');
    const title = problem?.title ?? 'Something went wrong';
    // The page shows both, one above the other.
    return { status, body: { error: title, message: shown.message } };
  });
  await app.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
}

/** What a route of the board does: `/…/queues/:queueName/retry/:queueStatus` is `retry`. */
function action(route: string): string {
  const [, path = route] = route.split('/api/queues/');
  return path
    .split('/')
    .filter((part) => !part.startsWith(':'))
    .join(' ');
}

function isFastifyError(error: Error): error is FastifyError {
  return 'code' in error && typeof error.code === 'string';
}
