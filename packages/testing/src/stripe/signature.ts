import { createHmac } from 'node:crypto';

/**
 * The `Stripe-Signature` of a webhook: HMAC-SHA256 over `{t}.{body}`, in hexadecimal.
 *
 * @param atSeconds Unix time; a test that wants a stale one gives another than now
 */
export function signWebhook(body: Uint8Array, secret: string, atSeconds: number): string {
  const hmac = createHmac('sha256', secret).update(`${atSeconds}.`).update(body);
  return `t=${atSeconds},v1=${hmac.digest('hex')}`;
}
