import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { OneGateway } from './one-gateway.ts';

const TICK_MS = 5;

/** Milliseconds that a client waits for an answer. */
const PATIENCE_MS = 15_000;

/** New ones at a time: Node takes one new connection a turn of its loop, and that is not what is measured here. */
const CONNECTIONS_AT_A_TIME = 100;

export interface Figures {
  sent: number;
  /** With 2xx. */
  answered: number;
  /** With 503. */
  shed: number;
  /** Another answer, or none. */
  failed: number;
  /** Milliseconds from when a request was due to its 2xx. */
  p50: number;
  p99: number;
  /** From the first request to the last 2xx. */
  goodPerSecond: number;
}

export interface Load {
  /** Clients that ask again when they have their answer: what the gateway can do. */
  inTurn(options: { clients: number; seconds: number }): Promise<Figures>;
  /** So many requests a second, each at its time: clients that waited for an answer would hide what is slow. */
  openLoop(options: { perSecond: number; seconds: number }): Promise<Figures>;
  close(): void;
}

/** Clients with so many connections, which are open and stay so, as those of a load balancer do. */
export async function connectTo(gateway: OneGateway, connections: number): Promise<Load> {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connections,
    maxFreeSockets: connections,
  });
  const get = (path: string) => statusOf(agent, gateway, path);
  for (let open = 0; open <= connections; open += CONNECTIONS_AT_A_TIME) {
    await Promise.all(Array.from({ length: open }, () => get('/health')));
  }
  const list = () => get('/v1/orders?limit=20');
  return {
    async inTurn({ clients, seconds }) {
      const tally = createTally();
      const end = performance.now() + seconds * 1_000;
      await Promise.all(
        Array.from({ length: clients }, async () => {
          while (performance.now() < end) await tally.count(performance.now(), list());
        }),
      );
      return tally.figures();
    },
    async openLoop({ perSecond, seconds }) {
      const tally = createTally();
      const total = perSecond * seconds;
      const begin = performance.now();
      const requests: Promise<void>[] = [];
      while (requests.length < total) {
        const due = Math.min(((performance.now() - begin) / 1_000) * perSecond, total);
        while (requests.length < due) {
          requests.push(tally.count(begin + (requests.length / perSecond) * 1_000, list()));
        }
        await delay(TICK_MS);
      }
      await Promise.all(requests);
      return tally.figures();
    },
    close: () => agent.destroy(),
  };
}

/** Null when there is no answer in time. */
function statusOf(agent: Agent, { url, token }: OneGateway, path: string): Promise<number | null> {
  return new Promise((resolve) => {
    const sent = request(
      `${url}${path}`,
      { agent, headers: { authorization: `Bearer ${token}` }, timeout: PATIENCE_MS },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? null));
        response.once('error', () => resolve(null));
      },
    );
    sent.once('timeout', () => sent.destroy());
    sent.once('error', () => resolve(null));
    sent.end();
  });
}

function createTally() {
  const begin = performance.now();
  let last = begin;
  const times: number[] = [];
  const counts = { sent: 0, answered: 0, shed: 0, failed: 0 };
  return {
    async count(due: number, answer: Promise<number | null>): Promise<void> {
      counts.sent += 1;
      const status = await answer;
      if (status === 503) counts.shed += 1;
      else if (status !== 200) counts.failed += 1;
      else {
        counts.answered += 1;
        last = performance.now();
        times.push(last - due);
      }
    },
    figures(): Figures {
      times.sort((one, other) => one - other);
      const percentile = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
      return {
        ...counts,
        p50: percentile(0.5),
        p99: percentile(0.99),
        goodPerSecond: (counts.answered * 1_000) / (last - begin),
      };
    },
  };
}
