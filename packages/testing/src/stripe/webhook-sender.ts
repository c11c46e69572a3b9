import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { signWebhook } from './signature.ts';
import { nowInSeconds } from './values.ts';

/** Where webhooks go: a URL of `http`, and the secret that they are signed with. */
export interface Endpoint {
  readonly url: string;
  readonly secret: string;
}

export interface Attempt {
  readonly at: Date;
  /** `null` when there was no answer. */
  readonly status: number | null;
  /** Why there was none. */
  readonly error: string | null;
}

export interface WebhookSender {
  /** One request, signed now. Never throws: what went wrong is in the attempt. */
  send(endpoint: Endpoint, payload: object): Promise<Attempt>;
  close(): void;
}

const MAX_CONNECTIONS = 32;

/** @param timeoutMs how long an endpoint may be silent */
export function createWebhookSender(timeoutMs: number): WebhookSender {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  const ending = new AbortController();

  async function post({ url, secret }: Endpoint, body: Buffer): Promise<number | null> {
    const outgoing = request(url, {
      method: 'POST',
      agent,
      timeout: timeoutMs,
      signal: ending.signal,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'content-length': body.length,
        'stripe-signature': signWebhook(body, secret, nowInSeconds()),
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`silent for ${timeoutMs} ms`)));
    // Until there is a status, `once` throws it as well; what breaks afterwards changes nothing.
    outgoing.on('error', () => undefined);
    outgoing.end(body);
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    response?.on('error', () => undefined).resume();
    return response?.statusCode ?? null;
  }

  return {
    send: async (endpoint, payload) => {
      const at = new Date();
      // Indented, as Stripe sends it: whoever verifies what it has parsed and written again is found out.
      const body = Buffer.from(JSON.stringify(payload, null, 2));
      try {
        return { at, status: await post(endpoint, body), error: null };
      } catch (error) {
        return { at, status: null, error: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => {
      ending.abort();
      agent.destroy();
    },
  };
}

/** Redirects are not followed, and are failures. */
export function isDelivered({ status }: Attempt): boolean {
  return status !== null && status >= 200 && status < 300;
}
