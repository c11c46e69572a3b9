import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import Stripe from 'stripe';
import { onTestFinished } from 'vitest';
import { until } from '../src/condition.ts';
import { listen } from '../src/listen.ts';
import type { FakeStripe, FakeStripeOptions } from '../src/stripe/fake.ts';
import { startFakeStripe } from '../src/stripe/fake-stripe.ts';

export const SECRET = 'whsec_of_the_tests';

/** The official library, pointed at a fake. */
export function connect({ url, apiKey }: FakeStripe, config: Stripe.StripeConfig = {}): Stripe {
  const { hostname, port } = new URL(url);
  const where = { host: hostname, port, protocol: 'http' } as const;
  return new Stripe(apiKey, { ...where, maxNetworkRetries: 0, telemetry: false, ...config });
}

export async function start(options: FakeStripeOptions = {}) {
  const fake = await startFakeStripe(options);
  onTestFinished(() => fake.close());
  const stripe = connect(fake);
  const create = (amount = 2_000, metadata: Record<string, string> = {}) =>
    stripe.paymentIntents.create({ amount, currency: 'usd', metadata });
  return { fake, stripe, create };
}

type Answer = number | 'cut' | 'silence';

export interface Received {
  body: Buffer;
  headers: IncomingHttpHeaders;
}

/** Takes webhooks, and answers 200 unless it is told otherwise. */
export async function startReceiver() {
  const received: Received[] = [];
  const answers: Answer[] = [];
  const server = createServer(async (request, response) => {
    received.push({ body: await buffer(request), headers: request.headers });
    const answer = answers.shift() ?? 200;
    if (answer === 'cut') request.socket.destroy();
    else if (answer !== 'silence')
      response.writeHead(answer, answer === 302 ? { location: '/' } : {}).end();
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    endpoint: { url: `http://127.0.0.1:${port}/webhooks`, secret: SECRET },
    received,
    /** The types of what came, in the order of arrival. */
    types: () => received.map(({ body }) => String(JSON.parse(body.toString()).type)),
    /** How the next requests are answered. */
    answerNext: (...next: Answer[]) => {
      answers.push(...next);
    },
  };
}

/** A fake whose webhooks go to a receiver. */
export async function startWithReceiver(options: FakeStripeOptions = {}) {
  const receiver = await startReceiver();
  const { endpoint, received } = receiver;
  const running = await start({ endpoint, retryDelaysMs: [20, 40, 80], ...options });
  const arrived = (count: number) =>
    until(() => received.length >= count, { what: `${count} webhooks` });
  return { ...running, ...receiver, arrived };
}

/** The types of the events that a fake has made, oldest first. */
export function made(fake: FakeStripe): string[] {
  return fake.events().map(({ type }) => type);
}
