import { until } from '@gatehouse/testing/condition';
import { startTcpProxy, type TcpProxy } from '@gatehouse/testing/tcp-proxy';
import { expect, onTestFinished, test } from 'vitest';
import { freshKey, type Gateway, order, type Reply, startGateway } from './harness.ts';

/** What is promised: a network that went away without a word is noticed, and done without, in this time. */
const NOTICED_MS = 30_000;
/** What a client may be left without an answer: the five seconds of the database, on a machine that has much to do. */
const ANSWERED_MS = 12_000;

/** Less than a gateway waits for a Redis that does not answer. */
const PROMPT_MS = 1_500;

/** A gateway that reaches one of its servers through a proxy. */
async function gatewayBehindProxy(
  setting: 'DATABASE_URL' | 'REDIS_URL',
): Promise<{ gateway: Gateway; proxy: TcpProxy }> {
  const direct = await startGateway();
  const proxy = await startTcpProxy(setting === 'REDIS_URL' ? direct.redisUrl : direct.databaseUrl);
  onTestFinished(proxy.close);
  return { gateway: await direct.replica({ [setting]: proxy.url }), proxy };
}

interface Timed {
  reply: Reply;
  ms: number;
}

/** Posts an order under its key until it is accepted, as a client should; gives all answers. */
async function insist(post: () => Promise<Reply>): Promise<Timed[]> {
  const answers: Timed[] = [];
  await until(
    async () => {
      const since = performance.now();
      const reply = await post();
      answers.push({ reply, ms: performance.now() - since });
      return reply.status === 201;
    },
    { what: 'the order to be accepted', timeoutMs: NOTICED_MS },
  );
  return answers;
}

/** Expects each to be a promise, or to say when to come again, and none to be long in coming. */
function expectFairAnswers(answers: readonly Timed[]): void {
  for (const { reply, ms } of answers) {
    expect(ms).toBeLessThan(ANSWERED_MS);
    if (reply.status === 201) continue;
    expect(reply).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
    expect(reply.headers.get('retry-after')).toBe('2');
  }
}

for (const setting of ['REDIS_URL', 'DATABASE_URL'] as const) {
  test(`orders are answered, and accepted again, when the network to ${setting} swallows all packets`, async () => {
    const { gateway, proxy } = await gatewayBehindProxy(setting);
    const { call, accountId } = await gateway.client();
    const place = (headers: Record<string, string>) => () =>
      call('POST', '/v1/orders', { body: order(), headers });
    // Several at once, so that several connections are in the pool.
    const warm = Array.from({ length: 5 }, () => place(freshKey())());
    expect((await Promise.all(warm)).map(({ status }) => status)).toEqual(warm.map(() => 201));

    proxy.swallow();
    const swallowed = Array.from({ length: 5 }, () => insist(place(freshKey())));
    await until(
      async () => Object.values((await gateway.call('GET', '/ready')).body.checks).includes('down'),
      { what: 'the gateway to feel it' },
    );
    proxy.heal();
    const answers = (await Promise.all(swallowed)).flat();
    // As fast as when nothing is wrong: not as one that waits for Redis in vain, and goes on without.
    let placed = warm.length + swallowed.length;
    await until(
      async () => {
        const later = await insist(place(freshKey()));
        placed += 1;
        answers.push(...later);
        return later.length === 1 && later.every(({ ms }) => ms < PROMPT_MS);
      },
      { what: 'the gateway to be as before', timeoutMs: NOTICED_MS },
    );
    expectFairAnswers(answers);
    expect(await gateway.db.order.count({ where: { accountId } })).toBe(placed);
    expect(await gateway.db.idempotencyRecord.count()).toBe(placed);
  });
}
