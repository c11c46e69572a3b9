import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { connectTo, type Figures, type Load } from './load.ts';
import { type OneGateway, startOneGateway } from './one-gateway.ts';

/**
 * `node benchmarks/overload.ts`: what becomes of answers when one gateway is asked for more than it can do, without load
 * shedding and with it, at the same rate. It wants a machine that does nothing else; it is no part of `npm test`.
 */

const CLIENTS = 64;
/** More than the bound of requests in flight. */
const CONNECTIONS = 1_500;
const CALM_SECONDS = 3;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    /** As often as the gateway can answer. */
    times: { type: 'string', default: '2' },
    /** Bounds to compare, comma separated. */
    'in-flight': { type: 'string', default: '500' },
    delay: { type: 'string', default: '500' },
  },
});
const seconds = Number(values.seconds);

const without = await withGateway('0', '0', async (gateway, load) => {
  await load.inTurn({ clients: CLIENTS, seconds: CALM_SECONDS });
  const calm = await load.inTurn({ clients: CLIENTS, seconds: CALM_SECONDS });
  console.log(`${CLIENTS} clients in turn: ${line(calm)}`);
  // Asked once: on a machine that has other work, two answers are two rates, and nothing could be compared.
  const perSecond = Math.round(calm.goodPerSecond * Number(values.times));
  return { perSecond, figures: await overload('without shedding', gateway, load, perSecond) };
});
for (const bound of values['in-flight'].split(',')) {
  const name = `at most ${bound} in flight`;
  const shed = await withGateway(values.delay, bound, async (gateway, load) => {
    await load.inTurn({ clients: CLIENTS, seconds: CALM_SECONDS });
    return overload(name, gateway, load, without.perSecond);
  });
  const ratio = (without.figures.p99 / shed.p99).toFixed(1);
  console.log(
    shed.shed === 0
      ? `${name}: nothing was turned away, so this compares nothing`
      : `${name}: the p99 of what is answered is ${ratio} times as long without shedding`,
  );
}

async function withGateway<T>(
  delay: string,
  inFlight: string,
  work: (gateway: OneGateway, load: Load) => Promise<T>,
): Promise<T> {
  const gateway = await startOneGateway({
    MAX_EVENT_LOOP_DELAY_MS: delay,
    MAX_REQUESTS_IN_FLIGHT: inFlight,
  });
  try {
    const load = await connectTo(gateway, CONNECTIONS);
    const result = await work(gateway, load);
    load.close();
    return result;
  } finally {
    await gateway.stop();
  }
}

async function overload(
  name: string,
  gateway: OneGateway,
  load: Load,
  perSecond: number,
): Promise<Figures> {
  const figures = await load.openLoop({ perSecond, seconds });
  console.log(`${name}: ${perSecond} requests a second: ${line(figures)}`);
  console.log(`${name}: answers again after ${await recovery(gateway)} ms`);
  return figures;
}

/** Milliseconds until a request is answered with 200. */
async function recovery({ url, token }: OneGateway): Promise<number> {
  const since = performance.now();
  while (true) {
    const { status } = await fetch(`${url}/v1/orders`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (status === 200) return Math.round(performance.now() - since);
  }
}

function line({ sent, answered, shed, failed, p50, p99, goodPerSecond }: Figures): string {
  const share = (count: number) => `${((100 * count) / sent).toFixed(1)} %`;
  return [
    `${goodPerSecond.toFixed(0)} good answers a second`,
    `p50 ${p50.toFixed(0)} ms`,
    `p99 ${p99.toFixed(0)} ms`,
    `${share(answered)} 2xx`,
    `${share(shed)} 503`,
    `${share(failed)} no answer`,
  ].join(', ');
}
