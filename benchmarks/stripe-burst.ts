import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createDatabase } from '@gatehouse/db/client';
import { until } from '@gatehouse/testing/condition';
import { type OneGateway, startOneGateway } from './one-gateway.ts';

/**
 * `node benchmarks/stripe-burst.ts`: how fast a burst of events from Stripe is acknowledged, by a gateway whose worker
 * processes them beside it, and by the usual way without a worker. In turns. On a machine that does nothing else; never a
 * part of `npm test`.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '7' },
  },
});
const [events, connections, rounds] = [values.events, values.connections, values.rounds].map(
  Number,
);

interface Figures {
  p50: number;
  p99: number;
  perSecond: number;
}

const gateway = await startOneGateway({});
const naive = await startNaive(gateway);
try {
  const ours: Figures[] = [];
  const theirs: Figures[] = [];
  for (let round = 1; round <= (rounds ?? 0); round += 1) {
    ours.push(await burst(gateway.url));
    await allProcessed(gateway);
    theirs.push(await burst(naive.url));
    console.log(`${round}: here ${line(ours.at(-1))}; the usual way ${line(theirs.at(-1))}`);
  }
  const [here, there] = [median(ours), median(theirs)];
  console.log(
    `medians: here ${line(here)}; the usual way ${line(there)}: ` +
      `${(here.perSecond / there.perSecond).toFixed(1)} times as many a second, ` +
      `${(there.p99 / here.p99).toFixed(1)} times as fast at p99`,
  );
} finally {
  naive.stop();
  await gateway.stop();
}

/** As many clients as connections, each with its next event as soon as the last is acknowledged. */
async function burst(url: string): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  await Promise.all(Array.from({ length: connections ?? 0 }, () => connect(agent, url)));
  const waiting = Array.from({ length: events ?? 0 }, signedEvent);
  const times: number[] = [];
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: connections ?? 0 }, async () => {
      for (let event = waiting.pop(); event !== undefined; event = waiting.pop()) {
        const sent = performance.now();
        const status = await deliver(agent, url, event);
        if (status !== 200) throw new Error(`an event was answered ${status}`);
        times.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1_000;
  agent.destroy();
  times.sort((one, other) => one - other);
  const percentile = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { p50: percentile(0.5), p99: percentile(0.99), perSecond: times.length / seconds };
}

interface SignedEvent {
  body: string;
  signature: string;
}

/** Of a payment that is none of ours, about as long as Stripe's. */
function signedEvent(): SignedEvent {
  const intent = {
    id: `pi_${randomUUID()}`,
    object: 'payment_intent',
    amount: 100,
    currency: 'usd',
  };
  const body = JSON.stringify({
    id: `evt_${randomUUID()}`,
    object: 'event',
    type: 'payment_intent.created',
    livemode: false,
    data: { object: { ...intent, description: 'x'.repeat(1_000) } },
  });
  const time = Math.floor(Date.now() / 1_000);
  const { webhookSecret } = gateway.stack.stripe;
  const hmac = createHmac('sha256', webhookSecret).update(`${time}.${body}`).digest('hex');
  return { body, signature: `t=${time},v1=${hmac}` };
}

/** Opens a connection that stays: Node takes one new one a turn of its loop, and that is not what is measured here. */
function connect(agent: Agent, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/health`, { agent }, (answer) => {
      answer.resume();
      answer.once('end', resolve);
    });
    sent.once('error', reject);
    sent.end();
  });
}

function deliver(agent: Agent, url: string, { body, signature }: SignedEvent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
    const sent = request(`${url}/webhooks/stripe`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function allProcessed({ stack }: OneGateway): Promise<void> {
  const db = createDatabase(stack.databaseUrl);
  await until(async () => (await db.stripeEvent.count({ where: { status: 'received' } })) === 0, {
    what: 'all events to be processed',
    timeoutMs: 120_000,
  });
  await db.$disconnect();
}

async function startNaive({ stack }: OneGateway): Promise<{ url: string; stop(): void }> {
  const { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL, stripe } = stack;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'naive-webhook.ts')], {
    env: { ...process.env, DATABASE_URL, REDIS_URL, SECRET: stripe.webhookSecret },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return { url, stop: () => child.kill() };
}

function median(all: readonly Figures[]): Figures {
  const of = (name: keyof Figures): number => {
    const sorted = all.map((one) => one[name]).sort((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return { p50: of('p50'), p99: of('p99'), perSecond: of('perSecond') };
}

function line(figures: Figures | undefined): string {
  if (figures === undefined) return 'nothing';
  const { p50, p99, perSecond } = figures;
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${perSecond.toFixed(0)} a second`;
}
