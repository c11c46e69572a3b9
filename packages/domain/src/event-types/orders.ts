import { OrderSchema, type OrderView } from '../order-view.ts';
import { eventType } from './event-type.ts';

const ACCEPTED: OrderView = {
  id: '0197a1b2-0000-7000-8000-000000000001',
  clientOrderId: 'monday-1',
  symbol: 'AAPL',
  side: 'buy',
  type: 'limit',
  quantity: '3',
  limitPrice: '187.42',
  timeInForce: 'day',
  positionType: 'stock',
  status: 'accepted',
  filledQuantity: '0',
  averageFillPrice: null,
  rejectCode: null,
  rejectReason: null,
  brokerOrderId: null,
  version: 1,
  createdAt: '2026-11-20T14:30:00.000Z',
  updatedAt: '2026-11-20T14:30:00.000Z',
  submittedAt: null,
  filledAt: null,
  canceledAt: null,
};
const SUBMITTED: OrderView = {
  ...ACCEPTED,
  status: 'submitted',
  brokerOrderId: 'paper-0197a1b2-0000-7000-8000-000000000001',
  version: 2,
  updatedAt: '2026-11-20T14:30:00.050Z',
  submittedAt: '2026-11-20T14:30:00.050Z',
};
const LATER = { version: 3, updatedAt: '2026-11-20T14:31:07.250Z' };
const OF_SOME = { filledQuantity: '2', averageFillPrice: '187.40' };

const order = (description: string, example: OrderView) =>
  eventType(OrderSchema, description, example);

/** `order.` and the status that an order has now. It need not have had all that lie between. */
export const ORDER_EVENTS = {
  'order.accepted': order('An order was placed.', ACCEPTED),
  'order.submitted': order('A broker has the order, and it rests there.', SUBMITTED),
  'order.partially_filled': order('Some of the order was filled. Once for each such fill.', {
    ...SUBMITTED,
    ...LATER,
    ...OF_SOME,
    status: 'partially_filled',
  }),
  'order.filled': order('All of the order was filled.', {
    ...SUBMITTED,
    ...LATER,
    status: 'filled',
    filledQuantity: '3',
    averageFillPrice: '187.40',
    filledAt: LATER.updatedAt,
  }),
  'order.canceled': order('The order was canceled. Some of it may have been filled before.', {
    ...SUBMITTED,
    ...LATER,
    ...OF_SOME,
    status: 'canceled',
    canceledAt: LATER.updatedAt,
  }),
  'order.rejected': order('The order was refused, for the reason in `rejectCode`.', {
    ...ACCEPTED,
    ...LATER,
    status: 'rejected',
    rejectCode: 'insufficient_funds',
    rejectReason: 'The available cash does not cover the cost of this order.',
    version: 2,
  }),
  'order.expired': order('The time in force of the order is over.', {
    ...SUBMITTED,
    ...LATER,
    status: 'expired',
  }),
  'order.unknown': order(
    'The broker was asked, and its answer is lost. Another event follows once it is found out what became of the order.',
    { ...ACCEPTED, ...LATER, status: 'unknown', version: 2 },
  ),
} as const;
