import { createHmac } from 'node:crypto';
import type { Database } from '@gatehouse/db/client';
import { newId } from '@gatehouse/domain/id';
import { call, type Gateway, type Reply } from './harness.ts';

export const SECRET = 'whsec_of_the_tests';
export const PATH = '/webhooks/stripe';

/** An event with no more than has to be there; `changes` replace members. */
export function eventText(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    id: `evt_${newId()}`,
    object: 'event',
    type: 'payment_intent.succeeded',
    data: { object: { id: 'pi_1', object: 'payment_intent' } },
    ...changes,
  });
}

export const nowSeconds = () => Math.floor(Date.now() / 1_000);

/** A `Stripe-Signature` of now, unless told otherwise. */
export function sign(body: string | Uint8Array, secret = SECRET, time = nowSeconds()): string {
  const hmac = createHmac('sha256', secret).update(`${time}.`).update(body);
  return `t=${time},v1=${hmac.digest('hex')}`;
}

/** Delivers a body as Stripe does, signed now unless there are other headers. */
export async function deliver(
  { url }: Pick<Gateway, 'url'>,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'stripe-signature': sign(body) },
): Promise<Reply> {
  if (typeof body === 'string') return call(url + PATH, 'POST', { body, headers });
  const response = await fetch(url + PATH, { method: 'POST', body, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

/** Events that were processed, for tests of what is done to them. Returns their ids, oldest first. */
export async function addStripeEvents(db: Database, count: number): Promise<string[]> {
  const rows = Array.from({ length: count }, () => {
    const payload = eventText();
    const { id: eventId, type } = JSON.parse(payload);
    const end = { status: 'processed', outcome: 'credited', processedAt: new Date() } as const;
    return { id: newId(), eventId, type, livemode: false, payload, ...end };
  });
  await db.stripeEvent.createMany({ data: rows });
  return rows.map(({ id }) => id);
}
