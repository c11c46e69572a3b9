import type { OrderFact } from '../facts.ts';
import { type Asked, accepted } from '../history.ts';
import { cancelsOf } from './orders.ts';
import { type Finding, finding, type Rule } from './rule.ts';

const FINAL: ReadonlySet<string> = new Set(['filled', 'canceled', 'rejected', 'expired']);

/** Every order has come to the end that it was to come to, or rests because nothing fills it. */
export const outcomesRule: Rule = (evidence) => {
  const cancels = cancelsOf(evidence);
  return evidence.facts.orders.flatMap((order) => outcome(order, cancels.get(order.id) ?? []));
};

function outcome(order: OrderFact, cancels: readonly Asked[]): Finding[] {
  const is = `order ${order.id} is ${order.status}`;
  switch (order.status) {
    case 'filled':
    case 'expired':
      return [];
    case 'canceled':
      return cancels.length > 0 ? [] : [finding('unasked', `${is} and nobody asked for that`)];
    case 'rejected':
      // Of purchases none is refused: the accounts have more than enough.
      return order.side === 'sell' && order.rejectCode === 'insufficient_position'
        ? []
        : [finding('lost', `${is}: ${order.rejectCode}`)];
    case 'submitted':
      if (cancels.some((asked) => accepted(asked) !== undefined)) {
        return [finding('lost', `${is} although a wish to cancel it was accepted`)];
      }
      return order.type === 'limit' ? [] : [finding('lost', `${is}, which the market would fill`)];
    default:
      return [finding('lost', is)];
  }
}

/** No execution counts twice, and no order is filled with more than it asked for. */
export const fillsRule: Rule = ({ facts }) => {
  const orders = new Map(facts.orders.map((order) => [order.id, order]));
  const twice = [...Map.groupBy(facts.fills, ({ executionId }) => executionId)]
    .filter(([, fills]) => fills.length > 1)
    .map(([id]) => finding('duplicated', `execution ${id} is there more than once`));
  const sums = [...Map.groupBy(facts.fills, ({ orderId }) => orderId)].flatMap(([id, fills]) => {
    const order = orders.get(id);
    const sum = fills.reduce((total, { quantity }) => total + millionths(quantity), 0n);
    if (order === undefined)
      return [finding('unasked', `a fill of order ${id}, which is not there`)];
    const wanted = millionths(order.quantity);
    if (sum > wanted) return [finding('duplicated', `order ${id} is filled ${sum} of ${wanted}`)];
    return order.status === 'filled' && sum < wanted
      ? [finding('lost', `order ${id} is filled with ${sum} of ${wanted}`)]
      : [];
  });
  const unfilled = facts.orders
    .filter(({ status }) => status === 'filled')
    .filter(({ id }) => !facts.fills.some(({ orderId }) => orderId === id))
    .map(({ id }) => finding('lost', `order ${id} is filled without a fill`));
  return [...twice, ...sums, ...unfilled];
};

const millionths = (quantity: string): bigint => BigInt(quantity.replace('.', ''));

/** Whether an order has come to its end, or rests as it may. */
export const isDone = ({ status, type }: Pick<OrderFact, 'status' | 'type'>): boolean =>
  isFinal({ status }) || (type === 'limit' && status === 'submitted');

export const isFinal = ({ status }: Pick<OrderFact, 'status'>): boolean => FINAL.has(status);
