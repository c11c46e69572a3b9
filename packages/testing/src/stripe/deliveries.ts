import { setTimeout as delay } from 'node:timers/promises';
import type { EventType, StripeEvent } from './objects.ts';
import { type Attempt, type Endpoint, isDelivered, type WebhookSender } from './webhook-sender.ts';

/**
 * How events of a type are sent. `held`: by `release()` only. `dropped`: by `deliver()` only, also after a restart. All others are retried
 * until they are answered 2xx, or the schedule is over.
 */
export type DeliveryPlan = 'once' | 'twice' | 'held' | 'dropped' | { readonly lateMs: number };

export interface Deliveries {
  /** For the events made from now on. */
  plan(type: EventType | 'all', plan: DeliveryPlan): void;
  /** To be called with each event once. */
  accept(event: StripeEvent): void;
  /** Sends what is held, one after another, each once the one before is answered. */
  release(order: 'in order' | 'reversed'): Promise<void>;
  /** One attempt, whatever was planned and has been delivered. */
  deliver(event: StripeEvent): Promise<Attempt>;
  /** The same for a thin notification of it. */
  deliverThin(notification: { readonly id: string }): Promise<Attempt>;
  /** Of an event or a notification, oldest first. */
  attempts(id: string): readonly Attempt[];
  /** Ends what is under way. */
  close(): Promise<void>;
}

interface DeliveryOptions {
  readonly onDelivered: (event: StripeEvent) => void;
  readonly onDropped: (event: StripeEvent) => void;
  readonly sender: WebhookSender;
  readonly endpoint: () => Endpoint | null;
  /** Pauses before the retries, in milliseconds: as many as there are retries. */
  readonly retryDelaysMs: readonly number[];
}

export function createDeliveries(options: DeliveryOptions): Deliveries {
  const { sender, endpoint, retryDelaysMs, onDelivered, onDropped } = options;
  const plans = new Map<EventType | 'all', DeliveryPlan>();
  const attempts = new Map<string, Attempt[]>();
  const underWay = new Set<Promise<void>>();
  const ending = new AbortController();
  let held: StripeEvent[] = [];

  async function attempt(payload: { readonly id: string }): Promise<Attempt> {
    const to = endpoint();
    if (to === null) throw new Error('there is no endpoint to deliver to');
    const made = await sender.send(to, payload);
    attempts.set(payload.id, [...(attempts.get(payload.id) ?? []), made]);
    return made;
  }

  async function deliver(event: StripeEvent): Promise<Attempt> {
    const made = await attempt(event);
    if (isDelivered(made) && event.pending_webhooks > 0) {
      event.pending_webhooks = 0;
      onDelivered(event);
    }
    return made;
  }

  async function retry(event: StripeEvent): Promise<void> {
    for (const pauseMs of retryDelaysMs) {
      await delay(pauseMs, undefined, { signal: ending.signal });
      if (event.pending_webhooks === 0 || endpoint() === null) return;
      if (isDelivered(await deliver(event))) return;
    }
  }

  async function send(event: StripeEvent, lateMs: number): Promise<void> {
    if (lateMs > 0) await delay(lateMs, undefined, { signal: ending.signal });
    if (endpoint() === null) return;
    if (!isDelivered(await deliver(event))) await retry(event);
  }

  function inBackground(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => {
        if (!ending.signal.aborted) throw error;
      })
      .finally(() => underWay.delete(watched));
    underWay.add(watched);
  }

  return {
    plan: (type, plan) => {
      plans.set(type, plan);
    },
    accept: (event) => {
      const plan = plans.get(event.type) ?? plans.get('all') ?? 'once';
      if (endpoint() === null) return;
      if (plan === 'dropped') return onDropped(event);
      if (plan === 'held') held.push(event);
      else inBackground(send(event, typeof plan === 'object' ? plan.lateMs : 0));
      if (plan === 'twice') inBackground(send(event, 0));
    },
    release: async (order) => {
      const events = order === 'in order' ? held : held.toReversed();
      held = [];
      for (const event of events) {
        if (!isDelivered(await deliver(event))) inBackground(retry(event));
      }
    },
    deliver,
    deliverThin: attempt,
    attempts: (id) => attempts.get(id) ?? [],
    close: async () => {
      ending.abort();
      sender.close();
      await Promise.all(underWay);
    },
  };
}
