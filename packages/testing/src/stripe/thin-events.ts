import type { StripeEvent, StripeObject } from './objects.ts';
import { missing } from './refusal.ts';
import { newId } from './values.ts';

/** A v2 notification: it names the object and holds none of it. */
export interface ThinEvent {
  readonly id: string;
  readonly object: 'v2.core.event';
  readonly created: string;
  readonly livemode: boolean;
  readonly related_object: { readonly id: string; readonly type: string; readonly url: string };
  /** The id of the event with the object in it. */
  readonly snapshot_event: string;
  readonly type: `v1.${string}`;
}

export interface ThinEvents {
  /** The notification of an event: the same at every call, with an id of its own. */
  of(event: StripeEvent): ThinEvent;
  /** @throws Refusal, 404, for what was never made */
  find(id: string): ThinEvent;
}

const PATHS: Readonly<Record<StripeObject['object'], string>> = {
  payment_intent: '/v1/payment_intents',
  charge: '/v1/charges',
  refund: '/v1/refunds',
  dispute: '/v1/disputes',
};

export function createThinEvents(): ThinEvents {
  const bySnapshot = new Map<string, ThinEvent>();
  return {
    of: (event) => {
      const { id, object } = event.data.object;
      const thin = bySnapshot.get(event.id) ?? {
        id: newId('evt'),
        object: 'v2.core.event',
        created: new Date(event.created * 1000).toISOString(),
        livemode: event.livemode,
        related_object: { id, type: object, url: `${PATHS[object]}/${id}` },
        snapshot_event: event.id,
        type: `v1.${event.type}`,
      };
      bySnapshot.set(event.id, thin);
      return thin;
    },
    find: (id) => {
      const found = [...bySnapshot.values()].find((thin) => thin.id === id);
      if (!found) throw missing('event', id);
      return found;
    },
  };
}
