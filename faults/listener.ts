import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '@gatehouse/testing/listen';
import { Webhook } from 'standardwebhooks';
import { type Account, addEndpoint } from './gateway.ts';
import type { Random } from './random.ts';

/** What the endpoints listen to: all that the clients cause. */
const EVENT_TYPES = ['order.*', 'task.*', 'deposit.*'];

/** Of first requests for an event. The next one is taken: a second retry comes after minutes. */
const REFUSED = 0.05;

/** An event that an endpoint was told, and took. */
export interface Heard {
  eventId: string;
  type: string;
  /** At an ordered endpoint; null at another. */
  sequence: number | null;
  /** Whether another library than ours finds the signature to be good. */
  isVerified: boolean;
}

/** An endpoint of an account, and what it has taken, in this order. */
export interface Listener {
  accountId: string;
  isOrdered: boolean;
  heard: Heard[];
}

/** Endpoints outside, which no fault befalls. Now and then they refuse. */
export interface Ears {
  listeners: readonly Listener[];
  close(): Promise<void>;
}

/** Has each account listen twice: in any order, and in the order of its events. */
export async function startListening(
  url: string,
  accounts: readonly Account[],
  random: Random,
): Promise<Ears> {
  const hear = new Map<string, (body: string, headers: IncomingHttpHeaders) => number>();
  const server = createServer((request, response) => {
    text(request)
      .then((body) => hear.get(request.url ?? '')?.(body, request.headers) ?? 404)
      .then((status) => response.writeHead(status).end())
      // Whoever was telling was killed in the middle.
      .catch(() => response.destroy());
  });
  const port = await listen(server);
  const listeners: Listener[] = [];
  for (const account of accounts) {
    for (const isOrdered of [false, true]) {
      const path = `/${account.id}/${isOrdered ? 'ordered' : 'any'}`;
      const endpoint = { url: `http://127.0.0.1:${port}${path}`, eventTypes: EVENT_TYPES };
      const secret = await addEndpoint(url, account, { ...endpoint, ordered: isOrdered });
      const listener: Listener = { accountId: account.id, isOrdered, heard: [] };
      listeners.push(listener);
      hear.set(path, createEar(listener, secret, random.fork(path)));
    }
  }
  return {
    listeners,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function createEar({ heard }: Listener, secret: string, random: Random) {
  const webhook = new Webhook(secret);
  const refused = new Set<string>();
  return (body: string, headers: IncomingHttpHeaders): number => {
    const {
      id,
      type,
      sequence = null,
    } = JSON.parse(body) as {
      id: string;
      type: string;
      sequence?: number;
    };
    if (!refused.has(id) && random.chance(REFUSED)) {
      refused.add(id);
      return 500;
    }
    const isVerified = verifies(webhook, body, headers) && headers['webhook-id'] === id;
    heard.push({ eventId: id, type, sequence, isVerified });
    return 204;
  };
}

function verifies(webhook: Webhook, body: string, headers: IncomingHttpHeaders): boolean {
  const given = (name: string): string => String(headers[name]);
  try {
    webhook.verify(body, {
      'webhook-id': given('webhook-id'),
      'webhook-timestamp': given('webhook-timestamp'),
      'webhook-signature': given('webhook-signature'),
    });
    return true;
  } catch {
    return false;
  }
}
