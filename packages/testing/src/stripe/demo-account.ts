import { existsSync, readFileSync } from 'node:fs';
import type { Stack } from '@gatehouse/local/stack-file';

export interface Balance {
  readonly cash: string;
  readonly buyingPower: string;
  readonly owed: string;
}

/** The demo user of the Gatehouse that the payments of a fake Stripe are made by. */
export interface DemoAccount {
  /** @throws when Gatehouse does not answer, or not with a balance; the message is for the page */
  balance(): Promise<Balance>;
  /** The same key twice is one deposit. In minor units. @throws as the other does */
  deposit(amount: number, idempotencyKey: string): Promise<void>;
}

const TIMEOUT_MS = 5_000;

/** @param stackFile `stack.json`, read anew each time: it is there when Gatehouse is, and its key may change */
export function createDemoAccount(stackFile: string): DemoAccount {
  async function call(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
    if (!existsSync(stackFile)) throw new Error('Gatehouse is not up (yet).');
    const { apiUrl, demo } = JSON.parse(readFileSync(stackFile, 'utf8')) as Stack;
    if (!demo.user) throw new Error('This Gatehouse has no demo user.');
    const headers = { ...init.headers, authorization: `Bearer ${demo.user.apiKey}` };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`${apiUrl}${path}`, { ...init, headers, signal }).catch(
      (error: unknown) => {
        throw new Error(`Gatehouse does not answer at ${apiUrl}.`, { cause: error });
      },
    );
    const body: unknown = await response.json().catch(() => null);
    const fields: Record<string, unknown> = { ...(typeof body === 'object' && body) };
    if (response.ok) return fields;
    throw new Error(`Gatehouse answered ${response.status}: ${reasonOf(fields)}`);
  }

  return {
    balance: async () => {
      const { cash, buyingPower, owed } = await call('/v1/account');
      return { cash: String(cash), buyingPower: String(buyingPower), owed: String(owed ?? '0.00') };
    },
    deposit: async (amount, idempotencyKey) => {
      await call('/v1/deposits', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ amount, currency: 'usd' }),
      });
    },
  };
}

/** What a problem (RFC 9457) says, and where in the request the first mistake is. */
function reasonOf({ detail, title, errors }: Record<string, unknown>): string {
  const [first]: unknown[] = Array.isArray(errors) ? errors : [];
  const { pointer, message }: Record<string, unknown> = { ...(typeof first === 'object' && first) };
  const where = message === undefined ? '' : ` (${pointer} ${message})`;
  return `${detail ?? title ?? 'without a reason'}${where}`;
}
