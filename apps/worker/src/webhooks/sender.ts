import type { Dispatcher } from 'undici';
import { type Answer, Exchange } from './exchange.ts';

/** How often requests whose time is up are looked for: one timer for all of them. */
const SWEEP_MS = 250;

const USER_AGENT = 'Gatehouse-Webhooks/1';

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
  /**
   * Sends a request once; redirects are answers like others. Resolves with what came of it, within 15 s or a little
   * more. Null when the signal fired first: nobody knows what came of it.
   */
  send(request: WebhookRequest, lane: Cutter): Promise<Answer | null>;
  close(): Promise<void>;
}

/** Cuts off what a lane has under way. */
export interface Cutter {
  add(exchange: Exchange): void;
  delete(exchange: Exchange): void;
}

export function createSender(agent: Dispatcher): Sender {
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
