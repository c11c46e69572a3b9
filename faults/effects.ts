import type { Facts } from './facts.ts';
import type { Asked } from './history.ts';

/** Finds what requests have come to, by what no two of them have alike: an order's quantity, a task's title, a
 * deposit's amount. */
export interface Effects {
  /** The orders, tasks or deposits that a request has made: one, if all is well. None for a wish to cancel. */
  of(asked: Asked): { id: string }[];
}

export function effectsIn({
  orders,
  tasks,
  deposits,
}: Pick<Facts, 'orders' | 'tasks' | 'deposits'>): Effects {
  const ordersByTag = Map.groupBy(orders, orderTag);
  const tasksByTag = Map.groupBy(tasks, taskTag);
  const depositsByTag = Map.groupBy(deposits, depositTag);
  return {
    of({ accountId, wish }) {
      switch (wish.kind) {
        case 'order':
          return ordersByTag.get(orderTag({ accountId, ...wish.order })) ?? [];
        case 'task':
          return tasksByTag.get(taskTag({ accountId, ...wish.task })) ?? [];
        case 'deposit':
          return depositsByTag.get(depositTag({ accountId, ...wish.deposit })) ?? [];
        case 'cancel':
          return [];
      }
    },
  };
}

export const orderTag = ({ accountId, quantity }: { accountId: string; quantity: string }) =>
  `order of ${quantity} in account ${accountId}`;

const taskTag = ({ accountId, title }: { accountId: string; title: string }) =>
  `${title} in account ${accountId}`;

const depositTag = ({ accountId, amount }: { accountId: string; amount: number }) =>
  `deposit of ${amount} in account ${accountId}`;
