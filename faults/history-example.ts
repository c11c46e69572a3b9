import { checkHistory } from './check-history.ts';
import type { DepositFact, EmailFact, EventFact, OrderFact, TaskFact } from './facts.ts';
import type { Answer, Asked, OrderWish } from './history.ts';
import type { Heard, Listener } from './listener.ts';
import type { Evidence, FindingKind } from './rules/rule.ts';

const ACCOUNT = 'account-1';

export const answer = (status: number, body: object, more: Partial<Answer> = {}): Answer => ({
  status,
  body: JSON.stringify(body),
  contentType: 'application/json; charset=utf-8',
  location: null,
  retryAfter: null,
  isReplay: false,
  ...more,
});

const BUY: OrderWish = {
  symbol: 'AAPL',
  side: 'buy',
  type: 'market',
  quantity: '3.000001',
  timeInForce: 'day',
};
const REST: OrderWish = { ...BUY, type: 'limit', limitPrice: '1.00', quantity: '1.000002' };
export const ORDER: OrderFact = {
  id: 'order-1',
  accountId: ACCOUNT,
  clientOrderId: null,
  symbol: 'AAPL',
  side: 'buy',
  type: 'market',
  quantity: '3.000001',
  status: 'filled',
  rejectCode: null,
};
export const TASK: TaskFact = {
  id: 'task-5',
  accountId: ACCOUNT,
  title: 'task 5',
  dueAt: new Date(5_000),
  remindedAt: new Date(5_000),
};
export const DEPOSIT: DepositFact = {
  id: 'deposit-7',
  accountId: ACCOUNT,
  amount: 10_007,
  status: 'succeeded',
  refunded: 7,
  posted: 10_000,
};
export const PAYMENT = { id: 'pi_7', depositId: 'deposit-7', received: 10_007, refunded: 7 };
export const CONFIRMATION: EmailFact = {
  id: 'mail-1',
  template: 'order-confirmation',
  status: 'sent',
  subjectId: 'order-1',
};

const EVENTS: EventFact[] = [
  'order.accepted order-1',
  'order.filled order-1',
  'order.accepted order-2',
  'order.canceled order-2',
  'task.created task-5',
  'task.due task-5',
  'deposit.succeeded deposit-7',
].map((what, index) => {
  const [type = '', subjectId = ''] = what.split(' ');
  return { id: `event-${index + 1}`, accountId: ACCOUNT, type, subjectId };
});

export const heardOf = ({ id, type }: EventFact): Heard => ({
  eventId: id,
  type,
  sequence: null,
  isVerified: true,
});
const heardInOrder = (event: EventFact, index: number): Heard => ({
  ...heardOf(event),
  sequence: index + 1,
});

function asked(key: string, wish: Asked['wish'], ...answers: (Answer | string)[]): Asked {
  const attempts = answers.map((one) => ({ url: 'http://api', sentAt: 0, answer: one }));
  return { accountId: ACCOUNT, key, wish, attempts };
}

/** What a run leaves that went well, for tests to spoil. */
export function clean(): Evidence {
  const created = answer(201, { id: 'order-1' }, { location: '/v1/orders/order-1' });
  return {
    history: [
      asked(
        'key-1',
        { kind: 'order', order: BUY },
        'fetch failed',
        answer(503, { code: 'unavailable' }, { retryAfter: '2' }),
        answer(409, { code: 'idempotency_key_in_use' }, { retryAfter: '1' }),
        created,
        { ...created, isReplay: true },
      ),
      asked('key-2', { kind: 'order', order: REST }, answer(201, { id: 'order-2' })),
      asked('key-3', { kind: 'cancel', orderId: 'order-2' }, answer(202, { id: 'order-2' })),
      asked(
        'key-4',
        { kind: 'cancel', orderId: 'order-1' },
        answer(409, { code: 'order_not_cancelable' }),
      ),
      asked(
        'key-5',
        { kind: 'task', task: { title: 'task 5', dueAt: '' } },
        answer(201, { id: 'task-5' }),
      ),
      asked(
        'key-7',
        { kind: 'deposit', deposit: { amount: 10_007, currency: 'usd' } },
        answer(503, { code: 'payments_unavailable' }, { retryAfter: '5' }),
        answer(201, { id: 'deposit-7', paymentIntentId: 'pi_7' }),
      ),
      asked('key-6', { kind: 'order', order: { ...BUY, quantity: '9.000009' } }, 'fetch failed'),
    ],
    facts: {
      orders: [
        ORDER,
        { ...ORDER, id: 'order-2', type: 'limit', quantity: '1.000002', status: 'canceled' },
      ],
      fills: [{ orderId: 'order-1', executionId: 'execution-1', quantity: '3.000001' }],
      tasks: [TASK],
      deposits: [DEPOSIT],
      payments: [PAYMENT],
      emails: [
        CONFIRMATION,
        { id: 'mail-5', template: 'task-reminder', status: 'sent', subjectId: 'task-5' },
        { id: 'mail-7', template: 'deposit-received', status: 'sent', subjectId: 'deposit-7' },
        { id: 'mail-8', template: 'deposit-refunded', status: 'sent', subjectId: 'deposit-7' },
      ],
      events: EVENTS,
      listeners: [
        { accountId: ACCOUNT, isOrdered: false, heard: EVENTS.toReversed().map(heardOf) },
        { accountId: ACCOUNT, isOrdered: true, heard: EVENTS.map(heardInOrder) },
      ],
      jobs: [],
      received: new Map([
        ['mail-1', 2],
        ['mail-5', 1],
        ['mail-7', 1],
        ['mail-8', 1],
      ]),
    },
  };
}

export const kinds = (evidence: Evidence): FindingKind[] => [
  ...new Set(checkHistory(evidence).map(({ kind }) => kind)),
];

export const orders = (
  evidence: Evidence,
  change: (order: OrderFact) => Partial<OrderFact>,
): Evidence => ({
  ...evidence,
  facts: {
    ...evidence.facts,
    orders: evidence.facts.orders.map((order) => ({ ...order, ...change(order) })),
  },
});

export const facts = (more: Partial<Evidence['facts']>): Evidence => {
  const evidence = clean();
  return { ...evidence, facts: { ...evidence.facts, ...more } };
};

/** With other ears: what the endpoint in any order has heard, and the ordered one. */
export const listening = (change: (heard: readonly Heard[], isOrdered: boolean) => Heard[]) =>
  facts({
    listeners: clean().facts.listeners.map(
      (one): Listener => ({ ...one, heard: change(one.heard, one.isOrdered) }),
    ),
  });

export const replacing = (key: string, ...answers: (Answer | string)[]): Evidence => {
  const evidence = clean();
  const history = evidence.history.map((one) =>
    one.key === key ? asked(key, one.wish, ...answers) : one,
  );
  return { ...evidence, history };
};
