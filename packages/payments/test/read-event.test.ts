import { describe, expect, test } from 'vitest';
import { HANDLED_EVENT_TYPES, readEvent } from '../src/read-event.ts';
import { charge, DEPOSIT_ID, dispute, intent, refund, snapshot, thin } from './events.ts';

const read = (payload: string) => readEvent(payload, { mode: 'test' });

const aboutIntent = (facts: object) => ({
  kind: 'facts',
  paymentIntentId: 'pi_1',
  depositId: DEPOSIT_ID,
  facts,
});
const about = (facts: object) => ({ ...aboutIntent(facts), depositId: null });
const aboutDispute = (status: string) =>
  about({ disputes: [{ id: 'dp_1', amount: 1800, status }] });
const ASK = {
  kind: 'ask',
  object: { type: 'refund', id: 're_1' },
  paymentIntentId: 'pi_1',
  depositId: null,
};

describe('an event says of a deposit', () => {
  test.each<[type: string, object: object, reading: object]>([
    ['payment_intent.created', intent(), aboutIntent({ status: 'pending' })],
    ['payment_intent.processing', intent(), aboutIntent({ status: 'pending' })],
    ['payment_intent.requires_action', intent(), aboutIntent({ status: 'pending' })],
    ['payment_intent.payment_failed', intent(), aboutIntent({ status: 'failed' })],
    ['payment_intent.canceled', intent(), aboutIntent({ status: 'canceled' })],
    [
      'payment_intent.succeeded',
      intent(),
      aboutIntent({ status: 'succeeded', receivedAmount: 2400 }),
    ],
    ['charge.refunded', charge(), about({ refundedAmount: 700 })],
    ['charge.dispute.created', dispute(), aboutDispute('open')],
    ['charge.dispute.updated', dispute({ status: 'under_review' }), aboutDispute('open')],
    ['charge.dispute.funds_withdrawn', dispute(), aboutDispute('open')],
    ['charge.dispute.closed', dispute({ status: 'lost' }), aboutDispute('lost')],
    ['charge.dispute.funds_reinstated', dispute({ status: 'won' }), aboutDispute('won')],
    ['refund.failed', refund({ status: 'failed' }), ASK],
    ['refund.updated', refund({ status: 'canceled' }), ASK],
    ['charge.refund.updated', refund({ status: 'failed' }), ASK],
  ])('%s', (type, object, reading) => {
    expect(HANDLED_EVENT_TYPES).toContain(type);
    expect(read(snapshot(type, object))).toEqual(reading);
  });

  test('every type that is handled is in the table above', () => {
    expect(HANDLED_EVENT_TYPES).toHaveLength(15);
  });

  test('all that was asked for, when it does not say what was received', () => {
    const { amount_received: _, ...object } = intent();
    const reading = read(snapshot('payment_intent.succeeded', object));
    expect(reading).toEqual(aboutIntent({ status: 'succeeded', receivedAmount: 2500 }));
  });

  test('which one it is, also by a charge, and by a PaymentIntent that is spelled out', () => {
    const object = charge({ payment_intent: intent(), metadata: { deposit_id: DEPOSIT_ID } });
    expect(read(snapshot('charge.refunded', object))).toEqual(aboutIntent({ refundedAmount: 700 }));
  });

  test.each([{}, { deposit_id: 'mine' }, { deposit_id: '\0' }, { deposit_id: 7 }, null, undefined])(
    'nothing of ours, with the metadata %j',
    (metadata) => {
      const reading = read(snapshot('payment_intent.created', intent({ metadata })));
      expect(reading).toEqual({ ...aboutIntent({ status: 'pending' }), depositId: null });
    },
  );
});

describe('ignored is', () => {
  test.each<[what: string, payload: string, reason: string]>([
    ['a type of no interest', snapshot('customer.created', {}), 'nobody handles customer.created'],
    ['a name that every object has', snapshot('constructor', {}), 'nobody handles constructor'],
    [
      'a refund that goes well',
      snapshot('refund.created', refund()),
      'nobody handles refund.created',
    ],
    ['a refund that goes on', snapshot('refund.updated', refund()), 'a refund that is succeeded'],
    [
      'a charge of no PaymentIntent',
      snapshot('charge.refunded', charge({ payment_intent: null })),
      'PaymentIntent',
    ],
    [
      'a dispute of none',
      snapshot('charge.dispute.created', dispute({ payment_intent: null })),
      'PaymentIntent',
    ],
    [
      'a failed refund of none',
      snapshot('refund.failed', refund({ payment_intent: null })),
      'PaymentIntent',
    ],
    [
      'an inquiry',
      snapshot('charge.dispute.created', dispute({ status: 'warning_needs_response' })),
      'no money',
    ],
    [
      'an inquiry that is over',
      snapshot('charge.dispute.closed', dispute({ status: 'warning_closed' })),
      'no money',
    ],
    [
      'a dispute that was prevented',
      snapshot('charge.dispute.closed', dispute({ status: 'prevented' })),
      'no money',
    ],
    [
      'a dispute of nothing',
      snapshot('charge.dispute.created', dispute({ amount: 0 })),
      'no money',
    ],
    [
      'a thin event of no interest',
      thin('v1.billing.meter.error_report_triggered', { id: 'mtr_1', type: 'billing.meter' }),
      'nobody handles',
    ],
    [
      'a thin event about something else',
      thin('v1.charge.refunded', { id: 'cus_1', type: 'customer' }),
      'customer',
    ],
  ])('%s', (_, payload, reason) => {
    expect(read(payload)).toEqual({ kind: 'ignored', reason: expect.stringContaining(reason) });
  });
});

describe('refused is', () => {
  const succeeded = (changes: object) => snapshot('payment_intent.succeeded', intent(changes));
  const refunded = (changes: object) => snapshot('charge.refunded', charge(changes));

  test.each<[what: string, payload: string, reason: string]>([
    ['what is no JSON', '{"type":', 'no event'],
    ['what is no object', 'null', 'no event'],
    ['what has no type', '{"id":"evt_1"}', 'no event'],
    [
      'an event of live mode',
      snapshot('payment_intent.created', intent(), { livemode: true }),
      'live mode',
    ],
    [
      'a thin one of live mode',
      thin('v1.refund.failed', { id: 're_1', type: 'refund' }, { livemode: true }),
      'live mode',
    ],
    [
      'an event of a connected account',
      snapshot('payment_intent.created', intent(), { account: 'acct_1' }),
      'connected account',
    ],
    ['one without an object', JSON.stringify({ type: 'charge.refunded' }), 'no object'],
    ['an object that is none', snapshot('charge.refunded', 'ch_1'), 'should be: must be object'],
    ['an object without an id', succeeded({ id: undefined }), 'id'],
    ['an id that no database takes', succeeded({ id: 'pi_\0' }), 'id'],
    [
      'a payment of no amount',
      succeeded({ amount: undefined, amount_received: undefined }),
      'how much',
    ],
    ['a payment of nothing', succeeded({ amount_received: 0 }), 'nothing was received'],
    ['an amount below zero', succeeded({ amount_received: -1 }), 'amount_received'],
    ['half a cent', succeeded({ amount_received: 0.5 }), 'amount_received'],
    ['more than a column holds', succeeded({ amount_received: 2 ** 31 }), 'amount_received'],
    ['an amount in words', succeeded({ amount_received: '2500' }), 'amount_received'],
    ['a refund without its amount', refunded({ amount_refunded: undefined }), 'amount_refunded'],
    ['another currency', succeeded({ currency: 'eur' }), 'eur'],
    ['another currency of a charge', refunded({ currency: 'jpy' }), 'jpy'],
    ['a PaymentIntent that is none', refunded({ payment_intent: 7 }), 'payment_intent'],
    [
      'a dispute of no status',
      snapshot('charge.dispute.closed', dispute({ status: undefined })),
      'status',
    ],
    [
      'a dispute of a new status',
      snapshot('charge.dispute.closed', dispute({ status: 'drawn' })),
      'drawn',
    ],
    ['a thin event about nothing', thin('v1.charge.refunded', null), 'related object'],
    ['a thin event about no id', thin('v1.charge.refunded', { type: 'charge' }), 'related object'],
  ])('%s', (_, payload, reason) => {
    expect(read(payload)).toEqual({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  test('an event of test mode, and one that does not say, by who has a live key', () => {
    for (const more of [{}, { livemode: undefined }]) {
      const payload = snapshot('payment_intent.created', intent(), more);
      expect(readEvent(payload, { mode: 'live' }).kind).toBe('refused');
    }
    const live = snapshot('payment_intent.created', intent(), { livemode: true });
    expect(readEvent(live, { mode: 'live' }).kind).toBe('facts');
  });
});

test('without a key, what is about real money is for others, and test mode is read', () => {
  const keyless = (payload: string) => readEvent(payload, { mode: null }).kind;
  const real = { livemode: true };
  const pay = (more: object) => snapshot('payment_intent.created', intent(), more);
  expect(keyless(pay({}))).toBe('facts');
  expect(keyless(pay(real))).toBe('not yet');
  expect(keyless(snapshot('customer.created', intent(), real))).toBe('ignored');
  expect(keyless(pay({ ...real, account: 'acct_1' }))).toBe('refused');
});

test('no currency, and one in capitals, are ours', () => {
  for (const currency of [undefined, null, 'USD']) {
    const payload = snapshot('payment_intent.created', intent({ currency }));
    expect(read(payload).kind).toBe('facts');
  }
});

describe('a thin event has its object asked for', () => {
  test.each(HANDLED_EVENT_TYPES.flatMap((type) => [type, `v1.${type}`]))('%s', (type) => {
    for (const related of ['payment_intent', 'charge', 'refund', 'dispute', 'v1.charge']) {
      expect(read(thin(type, { id: 'x_1', type: related, url: '/v1/x/x_1' }))).toEqual({
        kind: 'ask',
        object: { type: related.replace('v1.', ''), id: 'x_1' },
        paymentIntentId: related === 'payment_intent' ? 'x_1' : null,
        depositId: null,
      });
    }
  });
});
