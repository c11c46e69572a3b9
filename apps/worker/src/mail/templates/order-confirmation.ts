import Type from 'typebox';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  orderId: Type.String(),
  symbol: Type.String(),
  /** `buy` or `sell`. */
  side: Type.String(),
  quantity: Type.String(),
  /** Dollars a share. */
  averagePrice: Type.String(),
  /** Dollars paid or received. */
  total: Type.String(),
  /** RFC 3339. */
  filledAt: Type.String(),
});

type Data = Type.Static<typeof data>;

const done = ({ side }: Data): string => (side === 'buy' ? 'Bought' : 'Sold');

const notice = (order: Data): Notice => ({
  title: `${done(order)} ${order.quantity} ${order.symbol}`,
  lead: 'Your order was filled.',
  details: [
    ['Symbol', order.symbol],
    ['Side', order.side === 'buy' ? 'Buy' : 'Sell'],
    ['Quantity', order.quantity],
    ['Average price', `$${order.averagePrice}`],
    [order.side === 'buy' ? 'Total cost' : 'Total proceeds', `$${order.total}`],
    ['Order', order.orderId],
    ['Time', order.filledAt],
  ],
  rest: [],
});

/** Tells the owner of an order that all of it was filled. */
export const orderConfirmation = defineNotice({
  name: 'order-confirmation',
  data,
  sample: {
    orderId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    symbol: 'AAPL',
    side: 'buy',
    quantity: '3',
    averagePrice: '187.42',
    total: '562.26',
    filledAt: '2026-11-20T08:00:00.000Z',
  },
  subject: (order) => `${done(order)} ${order.quantity} ${order.symbol} at $${order.averagePrice}`,
  notice,
});
