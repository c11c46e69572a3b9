import { type Finding, finding, type Rule } from './rule.ts';

/** Everyone who should hear of something is written to once: a mail a filled order, a due task, a deposit and its refund. */
export const mailsRule: Rule = ({ facts }) => {
  const bySubject = Map.groupBy(
    facts.emails,
    ({ template, subjectId }) => `${template} ${subjectId}`,
  );
  const due = [
    ...facts.orders
      .filter(({ status }) => status === 'filled')
      .map(({ id }) => `order-confirmation ${id}`),
    ...facts.deposits
      .filter(({ status }) => status === 'succeeded')
      .map(({ id }) => `deposit-received ${id}`),
    ...facts.deposits
      .filter(({ refunded }) => refunded > 0)
      .map(({ id }) => `deposit-refunded ${id}`),
    ...facts.tasks.map(({ id }) => `task-reminder ${id}`),
  ];
  const findings: Finding[] = [];
  for (const subject of due) {
    const mails = bySubject.get(subject) ?? [];
    const sent = mails.filter(({ status }) => status === 'sent').length;
    if (mails.length > 1) findings.push(finding('duplicated', `${subject}: ${mails.length} mails`));
    else if (sent === 0) findings.push(finding('lost', `${subject}: no mail was sent`));
    bySubject.delete(subject);
  }
  for (const subject of bySubject.keys()) {
    findings.push(finding('unasked', `${subject}: a mail for which there is no reason`));
  }
  return findings;
};

/** Nobody is reminded of a task before it is due, whatever the clocks of the workers say. */
export const timelyRule: Rule = ({ facts }) =>
  facts.tasks
    .filter(({ dueAt, remindedAt }) => dueAt !== null && remindedAt !== null && remindedAt < dueAt)
    .map(({ id }) => finding('unasked', `task ${id} was reminded of before it was due`));

/** What is said to be sent has reached the mail server. It may have twice: SMTP is at least once. */
export const inboxRule: Rule = ({ facts }) => {
  const known = new Set(facts.emails.map(({ id }) => id));
  const unreceived = facts.emails
    .filter(({ id, status }) => status === 'sent' && !facts.received.has(id))
    .map(({ id }) => finding('lost', `mail ${id} is sent and was never received`));
  const unknown = [...facts.received.keys()]
    .filter((id) => !known.has(id))
    .map((id) => finding('unasked', `mail ${id} was received and nobody owed it`));
  return [...unreceived, ...unknown];
};
