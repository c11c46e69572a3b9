import type { Stack } from '@gatehouse/local/stack-file';
import {
  type LocalStack,
  removeStackDir,
  startLocalStack,
  temporaryStackDir,
} from '@gatehouse/testing/local-stack';

const ORDERS = 20;

export interface OneGateway {
  url: string;
  stack: Stack;
  /** Of an account that has some orders. */
  token: string;
  stop(): Promise<void>;
}

/** Starts a whole stack with one gateway, as `npm start` does, in a directory of its own. */
export async function startOneGateway(settings: Record<string, string>): Promise<OneGateway> {
  const dir = temporaryStackDir();
  let local: LocalStack | undefined;
  const stop = async () => {
    await local?.stop();
    removeStackDir(dir);
  };
  try {
    const unlimited = { RATE_LIMIT_MAX: '0', RATE_LIMIT_AUTH_MAX: '0' };
    local = await startLocalStack({ dir, settings: { ...unlimited, ...settings } });
    const stack = local.now();
    return { url: stack.apiUrl, stack, token: await openAccount(stack.apiUrl), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openAccount(url: string): Promise<string> {
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(`${path}: ${response.status}`);
    return response.json() as Promise<{ accessToken: string }>;
  };
  const { accessToken } = await post('/v1/auth/register', {
    email: 'benchmark@example.com',
    password: 'wild rhubarb orchestra',
    name: 'Benchmark',
  });
  for (let index = 0; index < ORDERS; index += 1) {
    const order = { symbol: 'AAPL', side: 'buy', type: 'market', quantity: '1' };
    const headers = { authorization: `Bearer ${accessToken}`, 'idempotency-key': `order-${index}` };
    await post('/v1/orders', order, headers);
  }
  return accessToken;
}
