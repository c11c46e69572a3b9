import { Agent, request } from 'node:http';
import type { FuzzRequest } from './requests.ts';

export interface FuzzAnswer {
  status: number;
  headers: Headers;
  text: string;
}

const agent = new Agent({ keepAlive: true });

/** Sends a request as it is: `fetch` would tidy it up, or refuse to. */
export function send(
  url: string,
  { operation, target, headers, body }: FuzzRequest,
  credential: string | null,
): Promise<FuzzAnswer> {
  const { hostname, port } = new URL(url);
  const has = (name: string): boolean => headers.some(([known]) => known === name);
  const all = [
    ...(has('host') ? [] : [['host', `${hostname}:${port}`]]),
    ...(credential === null ? [] : [['authorization', `Bearer ${credential}`]]),
    ...(body === null || has('content-type') ? [] : [['content-type', 'application/json']]),
    ...(body === null ? [] : [['content-length', String(body.length)]]),
    ...headers,
  ];
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, agent, method: operation.method, path: target, headers: all.flat() },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: new Headers(
              Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
                values.map((value): [string, string] => [name, value]),
              ),
            ),
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body ?? undefined);
  });
}
