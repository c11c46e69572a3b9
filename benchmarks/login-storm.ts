import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { connectTo, type Figures } from './load.ts';
import { type OneGateway, startOneGateway } from './one-gateway.ts';

/**
 * `node benchmarks/login-storm.ts`: what becomes of everybody else's requests while many log in as fast as they can,
 * with the cap on hashes at once and without it. On a machine that does nothing else; never a part of `npm test`.
 */

/** Of those who list orders. */
const CONNECTIONS = 8;
const WARM_UP_SECONDS = 3;
const PERSON = { email: 'storm@example.com', password: 'wild rhubarb orchestra' };

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    clients: { type: 'string', default: '64' },
    /** Of GET /v1/orders: gentle. */
    rate: { type: 'string', default: '50' },
  },
});
const [seconds, clients, perSecond] = [values.seconds, values.clients, values.rate].map(Number);

// What else would keep the storm out, so that it is the cap that is measured.
const open = { LOGIN_THROTTLE: 'false', MAX_EVENT_LOOP_DELAY_MS: '0', MAX_REQUESTS_IN_FLIGHT: '0' };
// More than libuv has threads: it takes all that it can.
const without = await measure('without the cap', { ...open, PASSWORD_HASHING_CONCURRENCY: '64' });
const capped = await measure('with the cap', open);
console.log(
  `in the storm, against peace: p99 ${times(without)} without the cap, ${times(capped)} with it; ` +
    `p99 without the cap is ${(without.storm.p99 / capped.storm.p99).toFixed(1)} times that with it`,
);

interface Measured {
  peace: Figures;
  storm: Figures;
}

async function measure(name: string, settings: Record<string, string>): Promise<Measured> {
  const gateway = await startOneGateway(settings);
  try {
    await register(gateway);
    const orders = await connectTo(gateway, CONNECTIONS);
    await orders.inTurn({ clients: CONNECTIONS, seconds: WARM_UP_SECONDS });
    const load = { perSecond: perSecond ?? 0, seconds: seconds ?? 0 };
    const peace = await orders.openLoop(load);
    console.log(`${name}, in peace: ${line(peace)}`);
    const storm = startStorm(gateway);
    const stormy = await orders.openLoop(load);
    const logins = await storm.stop();
    orders.close();
    console.log(`${name}, in the storm: ${line(stormy)}; ${logins}`);
    return { peace, storm: stormy };
  } finally {
    await gateway.stop();
  }
}

async function register({ url }: OneGateway): Promise<void> {
  const status = await post(`${url}/v1/auth/register`, { ...PERSON, name: 'Storm' });
  if (status !== 201) throw new Error(`the registration answered ${status}`);
}

/** Clients that log in again as soon as they are logged in. */
function startStorm({ url }: OneGateway): { stop(): Promise<string> } {
  const counts = new Map<number, number>();
  const since = performance.now();
  let isOver = false;
  const running = Array.from({ length: clients ?? 0 }, async () => {
    while (!isOver) {
      const status = await post(`${url}/v1/auth/login`, PERSON);
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  });
  return {
    async stop() {
      isOver = true;
      const elapsed = (performance.now() - since) / 1_000;
      const answers = [...counts].map(
        ([status, count]) => `${(count / elapsed).toFixed(0)} logins a second answered ${status}`,
      );
      await Promise.all(running);
      return answers.join(', ');
    },
  };
}

async function post(url: string, body: object): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

function times({ peace, storm }: Measured): string {
  return `${(storm.p99 / peace.p99).toFixed(1)} times`;
}

function line({ sent, answered, p50, p99 }: Figures): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${answered} of ${sent} with 2xx`;
}
