import { orderTag } from '../effects.ts';
import type { OrderFact } from '../facts.ts';
import type { Asked, OrderWish } from '../history.ts';
import { eachOnce } from './one-effect.ts';
import { type Evidence, type Finding, finding, type Rule } from './rule.ts';

/** Every order that a client was promised is there once, as it was asked for, and no other order is there. */
export const ordersRule: Rule = (evidence) => {
  const { history, facts } = evidence;
  const wishes = new Map(
    history.flatMap(({ accountId, wish }) =>
      wish.kind === 'order' ? [[orderTag({ ...wish.order, accountId }), wish.order]] : [],
    ),
  );
  return [
    ...eachOnce(evidence, 'order', facts.orders, (row) => `order ${row.id} ${orderTag(row)}`),
    ...facts.orders.flatMap((row) => {
      const wish = wishes.get(orderTag(row));
      return wish === undefined ? [] : asAskedFor(wish, row);
    }),
  ];
};

/** The same for tasks. */
export const tasksRule: Rule = (evidence) =>
  eachOnce(evidence, 'task', evidence.facts.tasks, ({ id, title }) => `task ${id} ${title}`);

function asAskedFor(wish: OrderWish, row: OrderFact): Finding[] {
  const isSame =
    row.symbol === wish.symbol &&
    row.side === wish.side &&
    row.type === wish.type &&
    row.clientOrderId === (wish.clientOrderId ?? null);
  return isSame ? [] : [finding('unasked', `order ${row.id} is not what was asked for`)];
}

/** The ids of orders that a client has asked to be canceled, with what it was told. */
export function cancelsOf({ history }: Pick<Evidence, 'history'>): Map<string, Asked[]> {
  const cancels = new Map<string, Asked[]>();
  for (const asked of history) {
    if (asked.wish.kind !== 'cancel' || asked.attempts.length === 0) continue;
    const { orderId } = asked.wish;
    cancels.set(orderId, [...(cancels.get(orderId) ?? []), asked]);
  }
  return cancels;
}
