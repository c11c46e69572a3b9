import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import { recordAct } from '@gatehouse/db/audit';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { actorOf, inSession } from '../../auth/actor.ts';
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
  // Its page asks a foreign server for fonts, which our policy for content forbids: it is the same without.
  app.addHook('onSend', async (_request, reply, payload) =>
    typeof payload === 'string' && `${reply.getHeader('content-type')}`.startsWith('text/html')
      ? payload.replace(/<link [^>]*fonts\.googleapis\.com[^>]*>/, '')
      : payload,
  );
  // Before he acts, on Redis as well: nobody acts unrecorded, and what he tried in vain is written down with it.
  app.addHook('preHandler', async (request) => {
    if (request.method === 'GET') return;
    // Again: he may have taken his time to send the body.
    request.visitor = await sessions.visitor(request);
    if (request.visitor?.role !== 'admin') throw new Forbidden('This needs the role admin');
    const { userId, sessionId } = request.visitor;
    const { action, queueName: queue = null, ...subjects } = actOf(request);
    await recordAct(app.db, actorOf(request, inSession(userId, sessionId)), {
      action: 'board.acted',
      subjectType: 'queue',
      subjectId: queue,
      details: { action, queue, ...subjects },
    });
  });
  app.addHook('onResponse', async (request, reply) => {
    if (request.visitor === null || request.method === 'GET') return;
    const { userId } = request.visitor;
    request.log.info(
      { userId, ...actOf(request), status: reply.statusCode },
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

type Act = { action: string } & Partial<Record<string, string>>;

/** What a request has the board do, and on what: `/…/queues/:queueName/retry/:queueStatus` is `retry`. */
function actOf({ routeOptions, url, params }: FastifyRequest): Act {
  const { url: route = url } = routeOptions;
  const [, path = route] = route.split('/api/queues/');
  const action = path
    .split('/')
    .filter((part) => !part.startsWith(':'))
    .join(' ');
  const subjects = Object.entries(params ?? {}).map(([name, value]) => [name, String(value)]);
  return { ...Object.fromEntries(subjects), action };
}

function isFastifyError(error: Error): error is FastifyError {
  return 'code' in error && typeof error.code === 'string';
}
