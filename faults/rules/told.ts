import type { EventFact, Facts } from '../facts.ts';
import type { Listener } from '../listener.ts';
import { type Finding, finding, type Rule } from './rule.ts';

/** What happens to an order, a task or a deposit is in the log once. */
export const eventsRule: Rule = ({ facts }) => {
  const times = Map.groupBy(facts.events, ({ type, subjectId }) => `${type} ${subjectId}`);
  return due(facts).flatMap((what) => {
    const count = times.get(what)?.length ?? 0;
    if (count === 1) return [];
    return finding(count === 0 ? 'lost' : 'duplicated', `${what}: ${count} events`);
  });
};

function due({ orders, tasks, deposits }: Facts): string[] {
  return [
    ...orders.map(({ id }) => `order.accepted ${id}`),
    ...orders
      .filter(({ status }) => ['filled', 'canceled', 'rejected', 'expired'].includes(status))
      .map(({ id, status }) => `order.${status} ${id}`),
    ...tasks.map(({ id }) => `task.created ${id}`),
    ...tasks.filter(({ remindedAt }) => remindedAt !== null).map(({ id }) => `task.due ${id}`),
    ...deposits
      .filter(({ status }) => status === 'succeeded')
      .map(({ id }) => `deposit.succeeded ${id}`),
  ];
}

/** Everyone who listens is told everything, signed, and in order where that was asked for. Perhaps more than once. */
export const toldRule: Rule = ({ facts }) =>
  facts.listeners.flatMap((listener) => [
    ...untold(
      listener,
      facts.events.filter(({ accountId }) => accountId === listener.accountId),
    ),
    ...(listener.isOrdered ? disorder(listener) : []),
  ]);

const nameOf = ({ accountId, isOrdered }: Listener): string =>
  `the ${isOrdered ? 'ordered ' : ''}endpoint of ${accountId}`;

function untold(listener: Listener, events: readonly EventFact[]): Finding[] {
  const name = nameOf(listener);
  const heard = new Set(listener.heard.map(({ eventId }) => eventId));
  const known = new Set(events.map(({ id }) => id));
  return [
    ...events
      .filter(({ id }) => !heard.has(id))
      .map(({ id, type }) => finding('lost', `${name} was never told of ${type} ${id}`)),
    ...listener.heard
      .filter(({ eventId }) => !known.has(eventId))
      .map(({ eventId }) =>
        finding('unasked', `${name} was told of ${eventId}, which is no event`),
      ),
    ...listener.heard
      .filter(({ isVerified }) => !isVerified)
      .map(({ eventId }) =>
        finding('answer', `${name} was told of ${eventId} without a signature`),
      ),
  ];
}

/** Each is told for the first time after the one before it. */
function disorder(listener: Listener): Finding[] {
  const first = new Map(listener.heard.toReversed().map((one) => [one.eventId, one.sequence]));
  const inOrder = [...new Set(listener.heard.map(({ eventId }) => eventId))];
  return inOrder.flatMap((eventId, index) =>
    first.get(eventId) === index + 1
      ? []
      : finding(
          'answer',
          `${nameOf(listener)} was told ${first.get(eventId)} as number ${index + 1}`,
        ),
  );
}
