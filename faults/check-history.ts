import { effectsIn } from './effects.ts';
import { type Asked, accepted, finalAnswers } from './history.ts';
import { answersRule } from './rules/answers.ts';
import { debtsRule } from './rules/debts.ts';
import { depositsRule, isSettled, moneyRule, paymentsOf } from './rules/deposits.ts';
import { inboxRule, mailsRule, timelyRule } from './rules/mails.ts';
import { ordersRule, tasksRule } from './rules/orders.ts';
import { fillsRule, isDone, isFinal, outcomesRule } from './rules/outcomes.ts';
import type { Evidence, Finding, Rule } from './rules/rule.ts';
import { eventsRule, toldRule } from './rules/told.ts';

const RULES: readonly Rule[] = [
  answersRule,
  ordersRule,
  tasksRule,
  depositsRule,
  moneyRule,
  outcomesRule,
  fillsRule,
  mailsRule,
  timelyRule,
  inboxRule,
  eventsRule,
  toldRule,
  debtsRule,
];

/** Holds what the clients were told against what there is. Empty: the promise was kept. */
export function checkHistory(evidence: Evidence): Finding[] {
  return RULES.flatMap((rule) => rule(evidence));
}

export interface Tally {
  /** Requests that were promised something. */
  accepted: number;
  /** How many of them were deposits. */
  deposits: number;
  /** What has come of them: orders that are done, tasks, deposits with their money in the books, and orders that are open no longer as was wished. */
  effects: number;
  /** Requests that never got an answer. */
  unanswered: number;
  /** Messages that reached the mail server once more than they had to. */
  mailTwins: number;
}

export function tally({ history, facts }: Evidence): Tally {
  const promised = history.filter((asked) => accepted(asked) !== undefined);
  const payments = paymentsOf(facts);
  const effects = effectsIn({
    ...facts,
    orders: facts.orders.filter(isDone),
    deposits: facts.deposits.filter((one) => isSettled(one, payments.get(one.id) ?? [])),
  });
  const closed = new Set(facts.orders.filter(isFinal).map(({ id }) => id));
  const count = (asked: Asked): number =>
    asked.wish.kind === 'cancel'
      ? Number(closed.has(asked.wish.orderId))
      : effects.of(asked).length;
  return {
    accepted: promised.length,
    deposits: promised.filter(({ wish }) => wish.kind === 'deposit').length,
    effects: promised.reduce((sum, asked) => sum + count(asked), 0),
    unanswered: history.filter((asked) => finalAnswers(asked).length === 0).length,
    mailTwins: [...facts.received.values()].reduce((sum, times) => sum + times - 1, 0),
  };
}
