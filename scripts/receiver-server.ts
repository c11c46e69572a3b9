import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyWebhook } from '@gatehouse/webhooks/signing';

export interface ReceiverOptions {
  /** What is answered to what is verified. */
  status: number;
  delayMs: number;
  /** Is given a line for every request. */
  print: (line: string) => void;
}

const MOST_BYTES = 2 ** 20;

/** A server that takes webhooks at any path, verifies each, and says what became of it. */
export function createReceiver({ status, delayMs, print }: ReceiverOptions): {
  server: Server;
  verifyWith(secret: string): void;
} {
  const timesSeen = new Map<string, number>();
  // Nothing is right before it is known; what is sent meanwhile waits.
  const { promise: known, resolve: verifyWith } = Promise.withResolvers<string>();

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      response.writeHead(405, { allow: 'POST' }).end();
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) chunks.push(chunk);
    }
    const header = (name: string) => request.headers[name]?.toString();
    const id = header('webhook-id');
    const body = Buffer.concat(chunks);
    const reason = whyNot(
      {
        id,
        timestamp: header('webhook-timestamp'),
        signature: header('webhook-signature'),
        body,
      },
      await known,
    );
    const times = reason === null && id ? (timesSeen.get(id) ?? 0) + 1 : 0;
    if (id && times > 0) timesSeen.set(id, times);
    await sleep(delayMs);
    const answer = reason === null ? status : 400;
    response.writeHead(answer).end();

    const { type, sequence } = contentOf(body);
    print(
      [
        new Date().toISOString().slice(11, 23),
        printable(type ?? 'no type').padEnd(24),
        printable(id ?? 'no id').padEnd(36),
        (sequence === null ? '' : `#${sequence}`).padEnd(6),
        reason === null ? 'verified' : `NOT verified: ${reason}`,
        times > 1 ? `again (${times} times)` : times === 1 ? 'new' : '',
        `-> ${answer}`,
      ]
        .filter((part) => part !== '')
        .join('  '),
    );
  }

  const server = createServer((request, response) => {
    receive(request, response).catch((error) => {
      print(`a request broke off: ${error.message}`);
      response.destroy();
    });
  });
  return { server, verifyWith };
}

function whyNot(webhook: Parameters<typeof verifyWebhook>[0], secret: string): string | null {
  try {
    verifyWebhook(webhook, [secret]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function contentOf(body: Buffer): { type: string | null; sequence: number | null } {
  try {
    const { type, sequence } = JSON.parse(body.toString());
    return {
      type: typeof type === 'string' ? type : null,
      sequence: typeof sequence === 'number' ? sequence : null,
    };
  } catch {
    // Anybody can post anything here: then its line has no type.
    return { type: null, sequence: null };
  }
}

/** What others have written must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
