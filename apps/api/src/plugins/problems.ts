import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import createRouter, { type HTTPMethod } from 'find-my-way';
import { MethodNotAllowed, RouteNotFound } from '../errors.ts';
import { PROBLEM_TYPE, toProblem } from '../problem.ts';

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
] as const satisfies HTTPMethod[];

/** Seconds after which a client may try again, by the code of what kept it from being served. */
const RETRY_AFTER_SECONDS = {
  service_unavailable: 2,
  overloaded: 2,
  idempotency_key_in_use: 1,
  payments_unavailable: 5,
  payments_not_configured: 60,
};

/** Not for want of anything of ours: who turns a request away with these tells the log, with the reason and no stack. */
const TOLD: ReadonlySet<string> = new Set([
  'overloaded',
  'payments_unavailable',
  'payments_not_configured',
]);

export interface ProblemsOptions {
  publicUrl: string;
}

/** The function that answers any error as problem+json. Also for those that Fastify meets before there is a route. */
export function createProblemHandler(publicUrl: string) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toProblem(error, request.id, publicUrl);
    const isFailure = problem.status >= 500 && !TOLD.has(problem.code);
    if (isFailure) request.log.error({ err: error }, 'request failed');
    else request.log.debug({ problem: problem.code, reason: error.message }, 'request refused');
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    for (const [code, seconds] of Object.entries(RETRY_AFTER_SECONDS)) {
      if (problem.code === code) reply.header('retry-after', seconds);
    }
    // Already serialized: a route's own schema must not cut the problem down.
    return reply
      .code(problem.status)
      .header('x-request-id', request.id)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problem));
  };
}

/** Answers every error as problem+json, unknown paths as 404, known paths under a wrong method as 405. */
export default fp<ProblemsOptions>(
  async (app: FastifyInstance, { publicUrl }) => {
    app.setErrorHandler(createProblemHandler(publicUrl));

    const known = createRouter();
    app.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) {
        if (known.findRoute(one as HTTPMethod, url) === null) {
          known.on(one as HTTPMethod, url, () => undefined);
        }
      }
    });
    app.setNotFoundHandler((request, reply) => {
      const allowed = METHODS.filter((method) => known.find(method, request.url) !== null);
      // A route that serves files takes every path below it, and comes here itself when there is no such file.
      const isTaken = allowed.some((method) => method === request.method);
      if (allowed.length === 0 || isTaken) throw new RouteNotFound();
      reply.header('allow', allowed.join(', '));
      throw new MethodNotAllowed();
    });
  },
  { name: 'problems' },
);
