import type { Dispatcher } from 'undici';
import { type Answer, Exchange } from './exchange.ts';

/** How often requests whose time is up are looked for: one timer for all of them. */
const SWEEP_MS = 250;

const USER_AGENT = 'Gatehouse-Webhooks/1';

/** Requests under way: each has a socket, its body and what has come of its answer. */
const MOST_UNDER_WAY = 4_000;

export interface WebhookRequest {
  origin: string;
  /** With its query. */
  path: string;
  /** The event's. */
  id: string;
  /** Seconds. */
  timestamp: number;
  signature: string;
  body: string;
}

export interface Sender {
  /** Whether as many requests are under way as may be in this process. */
  readonly isFull: boolean;
  /**
   * Sends a request once; redirects are answers like others. Resolves with what came of it, within 15 s or a little
   * more. Null when it was cut off, so that nobody knows what came of it, or could not be begun, for want of a connection.
   */
  send(request: WebhookRequest, lane: Cutter): Promise<Answer | null>;
  close(): Promise<void>;
}

/** Cuts off what a lane has under way. */
export interface Cutter {
  add(exchange: Exchange): void;
  delete(exchange: Exchange): void;
}

export function createSender(agent: Dispatcher, { mostUnderWay = MOST_UNDER_WAY } = {}): Sender {
  const underWay = new Set<Exchange>();
  // In the order of their ends, as they all have the same time.
  const sweep = () => {
    const now = performance.now();
    for (const exchange of underWay) {
      if (exchange.endsAt > now) return;
      exchange.expire();
    }
  };
  const timer = setInterval(sweep, SWEEP_MS).unref();
  return {
    get isFull() {
      return underWay.size >= mostUnderWay;
    },
    send({ origin, path, id, timestamp, signature, body }, lane) {
      return new Promise((resolve) => {
        const exchange = new Exchange((answer) => {
          underWay.delete(exchange);
          lane.delete(exchange);
          resolve(answer);
        });
        underWay.add(exchange);
        lane.add(exchange);
        const headers = {
          'content-type': 'application/json',
          'user-agent': USER_AGENT,
          'webhook-id': id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': signature,
        };
        try {
          agent.dispatch(
            // The sweep is the time-out.
            { origin, path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout: 0 },
            exchange,
          );
        } catch (error) {
          exchange.fail(error);
        }
      });
    },
    async close() {
      clearInterval(timer);
      await agent.destroy();
    },
  };
}
