import type { Form } from './form.ts';
import type { Journal } from './journal.ts';
import type { Cause, EventType, StripeEvent, StripeObject } from './objects.ts';
import { existing, invalid } from './refusal.ts';
import { newId, nowInSeconds } from './values.ts';

/** The version that stripe-node 23.1 asks for. */
export const API_VERSION = '2026-10-28.endive';

/** Makes an event of an object as it is now. `previous` holds the attributes that it has changed. */
export type Emit = (
  type: EventType,
  object: StripeObject,
  cause: Cause,
  previous?: Record<string, unknown>,
) => void;

export interface EventLog {
  readonly emit: Emit;
  /** In the order in which they were made. */
  all(): readonly StripeEvent[];
  /** @throws Refusal, 404 */
  find(id: string): StripeEvent;
}

/**
 * Events, and with each its object, are kept in the journal.
 *
 * @param isSent whether there is an endpoint that an event is owed to
 * @param onEvent called with each, once it is in the log
 */
export function createEventLog(
  journal: Journal,
  isSent: () => boolean,
  onEvent: (event: StripeEvent) => void,
): EventLog {
  const events = journal.read<StripeEvent>('event');
  return {
    emit: (type, object, cause, previous) => {
      const event: StripeEvent = {
        id: newId('evt'),
        object: 'event',
        api_version: API_VERSION,
        created: nowInSeconds(),
        data: {
          object: structuredClone(object),
          ...(previous && { previous_attributes: previous }),
        },
        livemode: false,
        pending_webhooks: isSent() ? 1 : 0,
        request: cause,
        type,
      };
      journal.keep(object.object, object.id, object);
      journal.keep('event', event.id, event);
      events.set(event.id, event);
      onEvent(event);
    },
    all: () => [...events.values()],
    find: (id) => existing(events, 'event', id),
  };
}

/** Stripe's. */
const MOST_TYPES = 20;

/** What the list parameters `type`, `types[]` and `delivery_success` ask for. */
export function eventFilter(form: Form): (event: StripeEvent) => boolean {
  const type = form.text('type');
  const types: readonly string[] = type === null ? form.list('types') : [type];
  if (types.length > MOST_TYPES) {
    throw invalid(`Array types exceeded maximum ${MOST_TYPES} allowed elements.`, {
      param: 'types',
    });
  }
  const isDelivered = form.boolean('delivery_success');
  return (event) =>
    (types.length === 0 || types.includes(event.type)) &&
    (isDelivered === null || isDelivered === (event.pending_webhooks === 0));
}
