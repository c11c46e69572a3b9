import type { EventFact, Facts } from '../facts.ts';
import type { Listener } from '../listener.ts';
import { type Finding, finding, type Rule } from './rule.ts';

/** What an order can end as, each with an event of its own. */
const ENDS = ['filled', 'canceled', 'rejected', 'expired'];

/** Events of which the facts say whether they are due. */
const TYPES = new Set([
  'order.accepted',
  ...ENDS.map((end) => `order.${end}`),
  'task.created',
  'task.due',
  'deposit.succeeded',
]);

/** What happens to an order, a task or a deposit is in the log once, and nothing that did not happen. */
export const eventsRule: Rule = ({ facts }) => {
  const times = Map.groupBy(
    facts.events.filter(({ type }) => TYPES.has(type)),
    ({ type, subjectId }) => `${type} ${subjectId}`,
  );
  const findings: Finding[] = [];
  for (const what of due(facts)) {
    const count = times.get(what)?.length ?? 0;
    const kind = count === 0 ? 'lost' : 'duplicated';
    if (count !== 1) findings.push(finding(kind, `${what}: ${count} events`));
    times.delete(what);
  }
  for (const what of times.keys()) {
    findings.push(finding('unasked', `${what}: an event of what did not happen`));
  }
  return findings;
};

function due({ orders, tasks, deposits }: Facts): string[] {
  return [
    ...orders.map(({ id }) => `order.accepted ${id}`),
    ...orders
      .filter(({ status }) => ENDS.includes(status))
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
  facts.listeners.flatMap((listener) => {
    const events = facts.events.filter(({ accountId }) => accountId === listener.accountId);
    const inOrder = listener.isOrdered
      ? [...misnumbered(listener), ...disorder(listener, events)]
      : [];
    return [...untold(listener, events), ...inOrder];
  });

const nameOf = ({ accountId, isOrdered }: Listener): string =>
  `the ${isOrdered ? 'ordered ' : ''}endpoint of ${accountId}`;

function untold(listener: Listener, events: readonly EventFact[]): Finding[] {
  const name = nameOf(listener);
  const heard = new Set(listener.heard.map(({ eventId }) => eventId));
  const types = new Map(events.map(({ id, type }) => [id, type]));
  return [
    ...events
      .filter(({ id }) => !heard.has(id))
      .map(({ id, type }) => finding('lost', `${name} was never told of ${type} ${id}`)),
    ...listener.heard
      .filter(({ eventId, type }) => types.get(eventId) !== type)
      .map(({ eventId, type }) =>
        finding('unasked', `${name} was told of ${type} ${eventId}, which is no event`),
      ),
    ...listener.heard
      .filter(({ isVerified }) => !isVerified)
      .map(({ eventId }) =>
        finding('answer', `${name} was told of ${eventId} without a signature`),
      ),
  ];
}

/** What it was told, in the order in which it heard of each for the first time. */
const firstHeard = ({ heard }: Listener): string[] => [
  ...new Set(heard.map(({ eventId }) => eventId)),
];

/** Its numbers are 1, 2, 3. */
function misnumbered(listener: Listener): Finding[] {
  const first = new Map(listener.heard.toReversed().map((one) => [one.eventId, one.sequence]));
  return firstHeard(listener).flatMap((eventId, index) =>
    first.get(eventId) === index + 1
      ? []
      : finding(
          'answer',
          `${nameOf(listener)} was told ${first.get(eventId)} as number ${index + 1}`,
        ),
  );
}

/** It hears of each after the one that is before it in the log, whatever the numbers say. */
function disorder(listener: Listener, events: readonly EventFact[]): Finding[] {
  const places = new Map(events.map(({ id }, index) => [id, index]));
  const heard = firstHeard(listener).filter((eventId) => places.has(eventId));
  const early = heard.find(
    (eventId, index) => (places.get(heard[index + 1] ?? eventId) ?? 0) < (places.get(eventId) ?? 0),
  );
  return early === undefined
    ? []
    : [finding('answer', `${nameOf(listener)} was told of ${early} before what came ahead of it`)];
}
