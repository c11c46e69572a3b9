import { orderTag, taskTag } from '../effects.ts';
import type { OrderFact } from '../facts.ts';
import type { Asked, OrderWish } from '../history.ts';
import { oneEffect } from './one-effect.ts';
import { type Evidence, type Finding, finding, type Rule } from './rule.ts';

/** Every order that a client was promised is there once, as it was asked for, and no other order is there. */
export const ordersRule: Rule = ({ history, facts }) => {
  const rows = Map.groupBy(facts.orders, orderTag);
  const findings: Finding[] = [];
  for (const asked of history) {
    const { wish } = asked;
    if (wish.kind !== 'order') continue;
    const tag = orderTag({ ...wish.order, accountId: asked.accountId });
    findings.push(...oneEffect(asked, rows.get(tag) ?? []));
    for (const row of rows.get(tag) ?? []) findings.push(...asAskedFor(wish.order, row));
    rows.delete(tag);
  }
  for (const unasked of [...rows.values()].flat()) {
    findings.push(finding('unasked', `nobody asked for order ${unasked.id} ${orderTag(unasked)}`));
  }
  return findings;
};

/** The same for tasks. */
export const tasksRule: Rule = ({ history, facts }) => {
  const rows = Map.groupBy(facts.tasks, taskTag);
  const findings: Finding[] = [];
  for (const asked of history) {
    const { wish } = asked;
    if (wish.kind !== 'task') continue;
    const tag = taskTag({ ...wish.task, accountId: asked.accountId });
    findings.push(...oneEffect(asked, rows.get(tag) ?? []));
    rows.delete(tag);
  }
  for (const unasked of [...rows.values()].flat()) {
    findings.push(finding('unasked', `nobody asked for task ${unasked.id} ${unasked.title}`));
  }
  return findings;
};

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
