import { join } from 'node:path';
import { loadSecrets } from '@gatehouse/local/secrets';
import { until } from '@gatehouse/testing/condition';
import type { FaultyStack } from './faulty-stack.ts';

/** What Stripe knows of a payment. Amounts in minor units. */
export interface PaymentFact {
  id: string;
  /** Of the deposit that it was made for. */
  depositId: string | null;
  received: number;
  refunded: number;
}

/** How events are delivered. `dropped`: not until {@link StripeHand.deliverAll}. */
export const DELIVERIES = ['once', 'twice', 'late', 'dropped'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** The customers and banks at the fake Stripe, which no fault befalls: what it sends is what is lost and repeated. */
export interface StripeHand {
  /** Of events that are made from now on. */
  deliverNext(delivery: Delivery): Promise<void>;
  pay(paymentIntentId: string): Promise<void>;
  /** In minor units. */
  refund(paymentIntentId: string, amount: number): Promise<void>;
  /** Resolves when a gateway has taken every event. @throws when that takes too long */
  deliverAll(timeoutMs: number): Promise<void>;
  payments(): Promise<PaymentFact[]>;
}

const PAGE = 100;

export function createStripeHand(stack: FaultyStack): StripeHand {
  const { stripe } = stack.now();
  const { stripeSecretKey } = loadSecrets(join(stack.dir, 'secrets.json'));

  async function press(action: string, fields: Record<string, string>): Promise<void> {
    const response = await fetch(`${stripe.apiUrl}/page/${action}`, {
      method: 'POST',
      headers: { origin: stripe.apiUrl },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    });
    if (response.status !== 303) throw new Error(`${action} at Stripe: ${response.status}`);
    await response.body?.cancel();
  }

  /** Everything in a list of the API, newest first. */
  async function list<T extends { id: string }>(path: string, query: string): Promise<T[]> {
    const all: T[] = [];
    while (true) {
      const after = all.length === 0 ? '' : `&starting_after=${all.at(-1)?.id}`;
      const response = await fetch(`${stripe.apiUrl}${path}?limit=${PAGE}&${query}${after}`, {
        headers: { authorization: `Bearer ${stripeSecretKey}` },
      });
      if (!response.ok) throw new Error(`${path} at Stripe: ${response.status}`);
      const page = (await response.json()) as { data: T[]; has_more: boolean };
      all.push(...page.data);
      if (!page.has_more) return all;
    }
  }

  return {
    deliverNext: (delivery) => press('plan', { delivery }),
    pay: (id) => press('pay', { id }),
    refund: (id, amount) => press('refund', { id, amount: `${amount}` }),
    deliverAll: async (timeoutMs) => {
      await until(
        async () => {
          const events = await list('/v1/events', 'delivery_success=false');
          for (const { id } of events) await press('deliver', { id });
          return events.length === 0;
        },
        { what: 'every event to be delivered', timeoutMs },
      );
    },
    payments: async () => {
      const found = await list<StripePayment>('/v1/payment_intents', 'expand[]=data.latest_charge');
      return found.map(({ id, metadata, amount_received, latest_charge }) => ({
        id,
        depositId: metadata.deposit_id ?? null,
        received: amount_received,
        refunded: latest_charge?.amount_refunded ?? 0,
      }));
    },
  };
}

interface StripePayment {
  id: string;
  metadata: { deposit_id?: string };
  amount_received: number;
  latest_charge: { amount_refunded: number } | null;
}
