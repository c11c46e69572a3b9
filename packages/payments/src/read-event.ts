import { Value } from 'typebox/value';
import { HANDLERS, ignored, refused } from './event-handlers.ts';
import { Envelope, Snapshot, Thin } from './event-objects.ts';
import type { EventReading } from './event-reading.ts';
import type { PaymentObject } from './payments.ts';
import type { PaymentMode } from './settings.ts';

/** What an endpoint at Stripe has to be sent. A list of events may be asked for 20 types at most. */
export const HANDLED_EVENT_TYPES: readonly string[] = [...HANDLERS.keys()];

const OBJECT_TYPES: readonly PaymentObject['type'][] = [
  'payment_intent',
  'charge',
  'refund',
  'dispute',
];

/**
 * What an event is worth, by what it says itself. Pure: the same for the same event.
 *
 * @param payload as it came and was verified
 * @param mode of our key: events of the other mode are refused. Without a key those of test mode are read, and what is
 * about real money is left to whoever has the key for it
 */
export function readEvent(payload: string, { mode }: { mode: PaymentMode | null }): EventReading {
  const event = parse(payload);
  if (!Value.Check(Envelope, event)) return refused('it is no event');
  const itsMode = event.livemode === true ? 'live' : 'test';
  if (mode !== null && mode !== itsMode) {
    return refused(`it is of ${itsMode} mode, and the key is not`);
  }
  if (event.account !== undefined && event.account !== null) {
    return refused('it is of a connected account');
  }
  const reading =
    event.object === 'v2.core.event'
      ? readThin(event, event.type)
      : readSnapshot(event, event.type);
  const isOfWorth = reading.kind === 'facts' || reading.kind === 'ask';
  return isOfWorth && mode === null && itsMode === 'live'
    ? { kind: 'not yet', reason: 'it is of live mode, and STRIPE_SECRET_KEY is not set' }
    : reading;
}

function readSnapshot(event: unknown, type: string): EventReading {
  const handler = HANDLERS.get(type);
  if (handler === undefined) return nobodyHandles(type);
  if (!Value.Check(Snapshot, event)) return refused('it has no object');
  return handler(event.data.object);
}

/** A thin event names an object of which the payment is read, whatever has happened to it. */
function readThin(event: unknown, name: string): EventReading {
  if (!HANDLERS.has(withoutVersion(name))) return nobodyHandles(name);
  if (!Value.Check(Thin, event)) return refused('its related object is not as it should be');
  const { related_object: related } = event;
  if (related === null || related === undefined) return refused('it has no related object');
  const type = OBJECT_TYPES.find((one) => one === withoutVersion(related.type));
  if (type === undefined) return ignored(`it is about a ${related.type}`);
  const paymentIntentId = type === 'payment_intent' ? related.id : null;
  return { kind: 'ask', object: { type, id: related.id }, paymentIntentId, depositId: null };
}

const nobodyHandles = (type: string): EventReading => ignored(`nobody handles ${type}`);

function withoutVersion(name: string): string {
  return name.replace(/^v1\./, '');
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    // What is no JSON is no event, as `undefined` is none.
    return undefined;
  }
}
