import type { Transaction } from '@gatehouse/db/client';
import { insertRecord } from '@gatehouse/db/idempotency-records';
import { transaction } from '@gatehouse/db/transaction';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { IdempotencyKeyRequired } from '../errors.ts';
import { type Answer, type Outcome, render } from '../idempotency/answer.ts';
import { createClaims } from '../idempotency/claims.ts';
import { fingerprint } from '../idempotency/fingerprint.ts';
import { idempotencyKey } from '../idempotency/key.ts';
import { runKeyed, type ToRecord } from '../idempotency/keyed.ts';
import { createSeal, PLAIN } from '../idempotency/seal.ts';
import { PROBLEM_TYPE, toProblem } from '../problem.ts';

type Commit = (toRecord: ToRecord) => Promise<Answer>;

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
     * Answers a mutation that requires a key and has a transaction of its own: `commit` is given the record to
     * write together with its effect.
     */
    onceWith(
      request: FastifyRequest,
      reply: FastifyReply,
      commit: (toRecord: ToRecord, toAnswer: (outcome: Outcome) => Answer) => Promise<Answer>,
    ): void;
  }
  interface FastifyContextConfig {
    /** `sealed`: the answer holds a secret and is stored encrypted. */
    idempotency?: 'sealed';
  }
}

export interface IdempotencyOptions {
  publicUrl: string;
  secret: string;
}

export default fp<IdempotencyOptions>(
  async (app, { publicUrl, secret }) => {
    const claims = createClaims(app.redis);
    const sealed = createSeal(secret);

    const runWithKey = async (
      request: FastifyRequest,
      reply: FastifyReply,
      key: string,
      commit: Commit,
    ): Promise<Answer> => {
      const path = request.url.split('?', 1)[0] ?? request.url;
      const { answer, replayed } = await runKeyed(
        {
          db: app.db,
          claims,
          log: request.log,
          seal: request.routeOptions.config.idempotency === 'sealed' ? sealed : PLAIN,
          request: {
            accountId: request.principal.accountId,
            key,
            fingerprint: fingerprint(request.method, path, request.body),
          },
          renderError: (error) => ({
            status: error.statusCode ?? 500,
            headers: { 'content-type': PROBLEM_TYPE },
            body: JSON.stringify(toProblem(error, request.id, publicUrl)),
          }),
        },
        commit,
      );
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
      const run = async (): Promise<Answer> => {
        const key = idempotencyKey(request);
        if (key === undefined) return render(reply, await transaction(app.db, effect));
        return runWithKey(request, reply, key, (toRecord) =>
          transaction(app.db, async (tx) => {
            const answer = render(reply, await effect(tx));
            await insertRecord(tx, toRecord(answer));
            return answer;
          }),
        );
      };
      sendAnswer(reply, run());
    });

    app.decorate('onceWith', (request, reply, commit) => {
      const run = async (): Promise<Answer> => {
        const key = idempotencyKey(request);
        if (key === undefined) throw new IdempotencyKeyRequired();
        return runWithKey(request, reply, key, (toRecord) =>
          commit(toRecord, (outcome) => render(reply, outcome)),
        );
      };
      sendAnswer(reply, run());
    });
  },
  { name: 'idempotency', dependencies: ['database', 'redis', 'authentication'] },
);
