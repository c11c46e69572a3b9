import type { ListedStripeEvent, StripeEvent } from '@gatehouse/db/stripe-events';

/** Levels that an event may have to be shown: thousands of them are more than a serializer can descend. */
const MAX_DEPTH = 100;

/** An event with all that it says, as far as that can be shown. */
export function stripeEventView({
  payload,
  ...event
}: StripeEvent): ListedStripeEvent & { event: unknown } {
  return { ...event, event: readPayload(payload) };
}

function readPayload(payload: string): unknown {
  try {
    const value: unknown = JSON.parse(payload);
    return isShallow(value) ? value : null;
  } catch {
    // It was JSON when it was stored: somebody has changed the row, and operators are to see the rest of it.
    return null;
  }
}

function isShallow(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= MAX_DEPTH; depth += 1) {
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
    if (level.length === 0) return true;
  }
  return false;
}
