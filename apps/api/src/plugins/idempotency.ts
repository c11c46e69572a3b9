import type { Transaction } from '@gatehouse/db/client';
import { insertRecord } from '@gatehouse/db/idempotency-records';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { addResponses } from '../added-responses.ts';
import { IdempotencyKeyRequired, IdempotencyKeyReused } from '../errors.ts';
import { type Answer, type Outcome, render } from '../idempotency/answer.ts';
import { createClaims, type KeyedRequest } from '../idempotency/claims.ts';
import { fingerprint, fingerprintKey } from '../idempotency/fingerprint.ts';
import { idempotencyKey } from '../idempotency/key.ts';
import { type Commit, type KeyedAnswer, runKeyed, type ToRecord } from '../idempotency/keyed.ts';
import { createSeal, PLAIN } from '../idempotency/seal.ts';
import { PROBLEM_TYPE, toProblem } from '../problem.ts';
import { problems } from '../schemas.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Answers a mutation whose key is optional: runs it in one transaction, once per key. Without a key it just
     * runs. A business error (see `runKeyed`) is an answer as well; any other goes to the error handler.
     */
    once(
      request: FastifyRequest,
      reply: FastifyReply,
      effect: (tx: Transaction) => Promise<Outcome>,
    ): void;
    /**
     * `once` for an effect that needs something which no transaction should wait for: `prepare` gets it before, also
     * under the key, so that a replay does without.
     */
    onceAfter<Prepared>(
      request: FastifyRequest,
      reply: FastifyReply,
      prepare: () => Promise<Prepared>,
      effect: (tx: Transaction, prepared: Prepared) => Promise<Outcome>,
    ): void;
    /**
     * Answers a mutation that requires a key and has a transaction of its own: `commit` is given the record to
     * write together with its effect, and the key that it runs under.
     */
    onceWith(
      request: FastifyRequest,
      reply: FastifyReply,
      commit: (
        toRecord: ToRecord,
        toAnswer: (outcome: Outcome) => Answer,
        keyed: KeyedRequest,
      ) => Promise<Answer>,
    ): void;
  }
  interface FastifyContextConfig {
    /** `sealed`: the body or the answer holds a secret, and nobody can read either where they are kept. */
    idempotency?: 'sealed';
  }
}

export interface IdempotencyOptions {
  publicUrl: string;
  /** The first seals answers and keys fingerprints; what was made with the others is known still. */
  secrets: readonly [string, ...string[]];
}

export default fp<IdempotencyOptions>(
  async (app, { publicUrl, secrets }) => {
    const claims = createClaims(app.redis);
    const sealed = createSeal(secrets);
    const fingerprintKeys = secrets.map(fingerprintKey);

    app.addHook('onRoute', (route) => {
      // A key that is in use, or another request's.
      if (honoursKeys(route)) addResponses(route, problems(409, 422));
    });

    const runWithKey = async (
      request: FastifyRequest,
      reply: FastifyReply,
      key: string,
      commit: Commit,
    ): Promise<Answer> => {
      const path = request.url.split('?', 1)[0] ?? request.url;
      const isSealed = request.routeOptions.config.idempotency === 'sealed';
      const runAs = (fingerprintKey?: Buffer) =>
        runKeyed(
          {
            db: app.db,
            claims,
            log: request.log,
            seal: isSealed ? sealed : PLAIN,
            request: {
              accountId: request.principal.accountId,
              key,
              fingerprint: fingerprint(request.method, path, request.body, fingerprintKey),
            },
            renderError: (error) => ({
              status: error.statusCode ?? 500,
              headers: { 'content-type': PROBLEM_TYPE },
              body: JSON.stringify(toProblem(error, request.id, publicUrl)),
            }),
          },
          commit,
        );
      const { answer, replayed } = await (isSealed ? runAsAny(fingerprintKeys, runAs) : runAs());
      if (replayed) reply.header('idempotent-replayed', 'true');
      return answer;
    };

    /** Sends by itself rather than through the handler's promise: the bytes are there, nothing is to be awaited. */
    const sendAnswer = (reply: FastifyReply, answer: Promise<Answer>): void => {
      answer
        .then(({ status, headers, body }) => reply.code(status).headers(headers).send(body))
        .catch((error) => reply.send(error));
    };

    app.decorate('once', (request, reply, effect) => {
      app.onceAfter(request, reply, async () => undefined, effect);
    });

    app.decorate('onceAfter', (request, reply, prepare, effect) => {
      const run = async (): Promise<Answer> => {
        const key = idempotencyKey(request);
        if (key === undefined) {
          const prepared = await prepare();
          return render(reply, await app.transaction((tx) => effect(tx, prepared)));
        }
        return runWithKey(request, reply, key, async (toRecord) => {
          const prepared = await prepare();
          return app.transaction(async (tx) => {
            const answer = render(reply, await effect(tx, prepared));
            await insertRecord(tx, toRecord(answer));
            return answer;
          });
        });
      };
      sendAnswer(reply, run());
    });

    app.decorate('onceWith', (request, reply, commit) => {
      const run = async (): Promise<Answer> => {
        const key = idempotencyKey(request);
        if (key === undefined) throw new IdempotencyKeyRequired();
        return runWithKey(request, reply, key, (toRecord, keyed) =>
          commit(toRecord, (outcome) => render(reply, outcome), keyed),
        );
      };
      sendAnswer(reply, run());
    });
  },
  { name: 'idempotency', dependencies: ['database', 'redis', 'authentication'] },
);

/** Who logs in has no account yet, to which a key could belong. */
function honoursKeys({ url, method }: RouteOptions): boolean {
  const isMutation = [method].flat().some((one) => one === 'POST' || one === 'PATCH');
  return isMutation && url.startsWith('/v1/') && !url.startsWith('/v1/auth/');
}

/**
 * Runs under the fingerprint of the first key. When that is not the one that the idempotency key was used with, the
 * secret may have changed since: then the others are tried. An attempt that is refused so has done nothing.
 *
 * @throws {IdempotencyKeyReused} when none of them is the one
 */
async function runAsAny(
  keys: readonly Buffer[],
  runAs: (key: Buffer) => Promise<KeyedAnswer>,
): Promise<KeyedAnswer> {
  for (const key of keys) {
    try {
      return await runAs(key);
    } catch (error) {
      if (!(error instanceof IdempotencyKeyReused)) throw error;
    }
  }
  throw new IdempotencyKeyReused();
}
