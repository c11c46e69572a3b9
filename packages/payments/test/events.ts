import { newId } from '@gatehouse/domain/id';

export const DEPOSIT_ID = newId();

/** A snapshot event as Stripe would send it, of an object that can be anything. */
export function snapshot(type: string, object: unknown, more: object = {}): string {
  return JSON.stringify({
    id: 'evt_1',
    object: 'event',
    api_version: '2026-10-28.endive',
    created: 1_795_000_000,
    livemode: false,
    type,
    data: { object },
    ...more,
  });
}

export function thin(type: string, related: unknown, more: object = {}): string {
  return JSON.stringify({
    id: 'evt_2',
    object: 'v2.core.event',
    created: '2026-11-20T08:00:00.000Z',
    livemode: false,
    type,
    related_object: related,
    ...more,
  });
}

export const intent = (changes: object = {}) => ({
  id: 'pi_1',
  object: 'payment_intent',
  amount: 2500,
  amount_received: 2400,
  currency: 'usd',
  metadata: { deposit_id: DEPOSIT_ID },
  ...changes,
});

export const charge = (changes: object = {}) => ({
  id: 'ch_1',
  object: 'charge',
  amount: 2500,
  amount_refunded: 700,
  currency: 'usd',
  payment_intent: 'pi_1',
  metadata: {},
  ...changes,
});

export const dispute = (changes: object = {}) => ({
  id: 'dp_1',
  object: 'dispute',
  amount: 1800,
  currency: 'usd',
  payment_intent: 'pi_1',
  status: 'needs_response',
  ...changes,
});

export const refund = (changes: object = {}) => ({
  id: 're_1',
  object: 'refund',
  amount: 700,
  currency: 'usd',
  payment_intent: 'pi_1',
  status: 'succeeded',
  ...changes,
});
