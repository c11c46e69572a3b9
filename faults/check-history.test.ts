import { describe, expect, it } from 'vitest';
import {
  answer,
  CONFIRMATION,
  clean,
  DEPOSIT,
  facts,
  kinds,
  listening,
  ORDER,
  orders,
  PAYMENT,
  replacing,
  TASK,
} from './history-example.ts';
import type { Evidence, FindingKind } from './rules/rule.ts';

describe('the history of a run', () => {
  it.each<[string, FindingKind, Evidence]>([
    ['a deposit that is lost', 'lost', facts({ deposits: [], payments: [] })],
    [
      'a deposit that is there twice',
      'duplicated',
      facts({ deposits: [DEPOSIT, { ...DEPOSIT, id: 'deposit-8' }] }),
    ],
    [
      'a deposit that nobody asked for',
      'unasked',
      facts({ deposits: [DEPOSIT, { ...DEPOSIT, id: 'deposit-8', amount: 5 }] }),
    ],
    [
      'a second payment of a deposit',
      'duplicated',
      facts({ payments: [PAYMENT, { ...PAYMENT, id: 'pi_8', received: 0, refunded: 0 }] }),
    ],
    [
      'a payment of no deposit',
      'unasked',
      facts({ payments: [PAYMENT, { ...PAYMENT, id: 'pi_8', depositId: 'deposit-8' }] }),
    ],
    ['a cent that was not posted', 'lost', facts({ deposits: [{ ...DEPOSIT, posted: 9_999 }] })],
    [
      'a cent that was posted twice',
      'duplicated',
      facts({ deposits: [{ ...DEPOSIT, posted: 10_001 }] }),
    ],
    [
      'a deposit that nobody was told of as received',
      'lost',
      facts({ deposits: [{ ...DEPOSIT, status: 'pending' }] }),
    ],
    ['an order that is lost', 'lost', facts({ orders: [], fills: [], emails: [] })],
    [
      'an order that is there under another id than was promised',
      'lost',
      replacing('key-1', answer(201, { id: 'order-7' })),
    ],
    [
      'an order that is there twice',
      'duplicated',
      facts({ orders: [...clean().facts.orders, { ...ORDER, id: 'order-1b' }] }),
    ],
    [
      'a second order of a request that was never answered',
      'duplicated',
      facts({
        orders: [
          ...clean().facts.orders,
          { ...ORDER, id: 'order-6', quantity: '9.000009' },
          { ...ORDER, id: 'order-7', quantity: '9.000009' },
        ],
      }),
    ],
    [
      'an order that nobody asked for',
      'unasked',
      facts({
        orders: [
          ...clean().facts.orders,
          { ...ORDER, id: 'x', quantity: '4.000004', status: 'expired' },
        ],
      }),
    ],
    [
      "an order in another account than its client's",
      'unasked',
      orders(clean(), () => ({ accountId: 'account-2' })),
    ],
    [
      'an order that is not what was asked for',
      'unasked',
      orders(clean(), () => ({ side: 'sell' })),
    ],
    [
      'answers of one key that differ in a byte',
      'answer',
      replacing('key-1', answer(201, { id: 'order-1' }), {
        ...answer(201, { id: 'order-1' }),
        body: '{"id": "order-1"}',
        isReplay: true,
      }),
    ],
    [
      'answers of one key that differ in status',
      'answer',
      replacing(
        'key-4',
        answer(409, { code: 'order_not_cancelable' }),
        answer(202, { id: 'order-1' }),
      ),
    ],
    [
      'a request that was run twice under one key',
      'duplicated',
      replacing('key-1', answer(201, { id: 'order-1' }), answer(201, { id: 'order-1' })),
    ],
    ['an internal error', 'answer', replacing('key-6', answer(500, { code: 'internal_error' }))],
    ['a 503 that does not say when to come again', 'answer', replacing('key-6', answer(503, {}))],
    [
      'a retry that is refused as if another had taken its name',
      'answer',
      replacing('key-1', answer(409, { code: 'client_order_id_taken' })),
    ],
    [
      'an order that was accepted and never executed',
      'lost',
      orders(clean(), (order) => ({ status: order.id === 'order-1' ? 'accepted' : order.status })),
    ],
    [
      'a wish to cancel that was forgotten',
      'lost',
      orders(clean(), (order) => ({ status: order.id === 'order-2' ? 'submitted' : order.status })),
    ],
    [
      'a purchase that is refused',
      'lost',
      orders(clean(), (order) => ({ status: order.id === 'order-2' ? 'rejected' : order.status })),
    ],
    [
      'a cancellation that nobody asked for',
      'unasked',
      { ...clean(), history: clean().history.filter(({ key }) => key !== 'key-3') },
    ],
    [
      'an execution that counts twice',
      'duplicated',
      facts({ fills: [...clean().facts.fills, ...clean().facts.fills] }),
    ],
    [
      'an order that is filled twice',
      'duplicated',
      facts({
        fills: [
          ...clean().facts.fills,
          { orderId: 'order-1', executionId: 'execution-2', quantity: '3.000001' },
        ],
      }),
    ],
    ['an order that is filled without a fill', 'lost', facts({ fills: [] })],
    ['a filled order without a mail', 'lost', facts({ emails: clean().facts.emails.slice(1) })],
    [
      'a mail that waits for ever',
      'lost',
      facts({ emails: clean().facts.emails.map((mail) => ({ ...mail, status: 'queued' })) }),
    ],
    [
      'two mails about one order',
      'duplicated',
      facts({ emails: [...clean().facts.emails, { ...CONFIRMATION, id: 'mail-2' }] }),
    ],
    [
      'a mail about an order that is not filled',
      'unasked',
      facts({
        emails: [...clean().facts.emails, { ...CONFIRMATION, id: 'mail-2', subjectId: 'order-2' }],
        received: new Map([...clean().facts.received, ['mail-2', 1]]),
      }),
    ],
    ['a mail that is said to be sent and never arrived', 'lost', facts({ received: new Map() })],
    [
      'a mail that arrived and that nobody owed',
      'unasked',
      facts({ received: new Map([...clean().facts.received, ['mail-9', 1]]) }),
    ],
    ['a task that is lost', 'lost', facts({ tasks: [] })],
    [
      'a task that is there twice',
      'duplicated',
      facts({
        tasks: [...clean().facts.tasks, { ...TASK, id: 'task-6' }],
      }),
    ],
    [
      'a task that was reminded of too early',
      'unasked',
      facts({ tasks: [{ ...TASK, remindedAt: new Date(4_999) }] }),
    ],
    ['a change without an event', 'lost', facts({ events: clean().facts.events.slice(1) })],
    [
      'two events of one change',
      'duplicated',
      facts({
        events: clean().facts.events.flatMap((one) => [one, { ...one, id: `${one.id} again` }]),
      }),
    ],
    [
      'an event of what did not happen',
      'unasked',
      facts({
        events: clean().facts.events.flatMap((one) =>
          one.type === 'order.filled'
            ? [one, { ...one, id: `${one.id} too`, type: 'order.canceled' }]
            : [one],
        ),
      }),
    ],
    [
      'an endpoint that was never told',
      'lost',
      listening((heard, isOrdered) => (isOrdered ? heard.slice(0, -1) : [...heard])),
    ],
    [
      'an endpoint that was told what is no event',
      'unasked',
      listening((heard) => heard.flatMap((one) => [one, { ...one, eventId: 'event-0' }])),
    ],
    [
      'an endpoint that was told an event as another',
      'unasked',
      listening((heard) => heard.map((one) => ({ ...one, type: 'order.rejected' }))),
    ],
    [
      'a request to an endpoint without a good signature',
      'answer',
      listening((heard) => heard.map((one) => ({ ...one, isVerified: false }))),
    ],
    [
      'an ordered endpoint that was told in another order',
      'answer',
      listening((heard, isOrdered) => (isOrdered ? heard.toReversed() : [...heard])),
    ],
    [
      'an ordered endpoint that was told backwards, under numbers that are right',
      'answer',
      listening((heard, isOrdered) =>
        isOrdered
          ? heard.toReversed().map((one, index) => ({ ...one, sequence: index + 1 }))
          : [...heard],
      ),
    ],
    [
      'an ordered endpoint whose numbers have a gap',
      'answer',
      listening((heard, isOrdered) =>
        isOrdered
          ? heard.map((one) => ({ ...one, sequence: 1 + (one.sequence ?? 0) }))
          : [...heard],
      ),
    ],
    [
      'a job that is dead',
      'lost',
      facts({
        jobs: [{ name: 'send-email', subjectId: 'mail-1', state: 'dead', lastError: 'no' }],
      }),
    ],
  ])('tells of %s', (_, kind, evidence) => {
    expect(kinds(evidence)).toContain(kind);
  });
});
