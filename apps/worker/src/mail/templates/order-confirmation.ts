import Type from 'typebox';
import { html } from '../html.ts';
import { detailLines, detailTable, layout } from '../layout.ts';
import { defineTemplate } from '../template.ts';

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

const rows = (order: Data) =>
  [
    ['Symbol', order.symbol],
    ['Side', order.side === 'buy' ? 'Buy' : 'Sell'],
    ['Quantity', order.quantity],
    ['Average price', `$${order.averagePrice}`],
    [order.side === 'buy' ? 'Total cost' : 'Total proceeds', `$${order.total}`],
    ['Order', order.orderId],
    ['Time', order.filledAt],
  ] as const;

/** Tells the owner of an order that all of it was filled. */
export const orderConfirmation = defineTemplate({
  name: 'order-confirmation',
  data,
  subject: (order) => `${done(order)} ${order.quantity} ${order.symbol} at $${order.averagePrice}`,
  text: (order) => `Your order was filled.\n\n${detailLines(rows(order))}\n`,
  html: (order) =>
    layout({
      title: `${done(order)} ${order.quantity} ${order.symbol}`,
      content: html`<p style="margin:0 0 16px">Your order was filled.</p>
${detailTable(rows(order))}`,
    }),
});
