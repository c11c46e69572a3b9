import { expect, test } from 'vitest';
import { html } from '../src/mail/html.ts';
import { renderEmail } from '../src/mail/templates.ts';

const evil = `<script>alert("1")</script>&'`;

test('what is filled into markup is escaped, markup is not', () => {
  expect(
    html`<p title="${evil}">${html`<b>${'a & b'}</b>`}${[html`<i>`, html`</i>`]}</p>`.markup,
  ).toBe(
    '<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"><b>a &amp; b</b><i></i></p>',
  );
});

test('a title can neither add headers nor markup', () => {
  const title = `Pay\r\nBcc: all@example.test\u2028${evil}`;
  const {
    subject,
    text,
    html: page,
  } = renderEmail('task-reminder', {
    taskId: 'id',
    title,
    dueAt: '2026-11-20T08:00:00.000Z',
  });
  expect(subject).toBe(`Due: Pay Bcc: all@example.test ${evil}`);
  expect(text).toContain(evil);
  expect(page).not.toContain('<script>');
  expect(page).toContain('&lt;script&gt;');
});

test('a sell is told as a sell', () => {
  const content = renderEmail('order-confirmation', {
    orderId: 'id',
    symbol: 'BRK.B',
    side: 'sell',
    quantity: '3',
    averagePrice: '187.42',
    total: '562.26',
    filledAt: '2026-11-20T08:00:00.000Z',
  });
  expect(content.subject).toBe('Sold 3 BRK.B at $187.42');
  expect(content.text).toMatch(/Side: +Sell\n/);
  expect(content.text).toMatch(/Total proceeds: +\$562\.26\n/);
});

const about = {
  depositId: 'id',
  amount: '25.00 USD',
  total: '40.00 USD',
  cash: '25.00 USD',
  debt: '',
};
const at = '2026-11-20T08:00:00.000Z';
const debts: [template: string, data: object][] = [
  ['deposit-received', { ...about, receivedAt: at }],
  ['deposit-refunded', { ...about, deposited: '100.00 USD', refundedAt: at }],
  ['deposit-refund-failed', { ...about, failedAt: at }],
  ['deposit-disputed', { ...about, outcome: 'opened', changedAt: at }],
];

test.each(debts)(
  '%s says what the account owes, and nothing when it owes nothing',
  (name, data) => {
    const owing = renderEmail(name, { ...data, owed: '7.00 USD' });
    const free = renderEmail(name, { ...data, owed: '' });
    for (const part of ['text', 'html'] as const) {
      expect(owing[part]).toMatch(/owes 7\.00 USD now.*cannot buy with that/s);
      expect(free[part]).not.toContain('owes');
      expect(free[part]).toContain('25.00 USD');
    }
  },
);

test.each([
  ['deposit-received', { receivedAt: at }, 'We received 25.00 USD. '],
  ['deposit-refund-failed', { failedAt: at }, 'and the money came back. '],
  [
    'deposit-disputed',
    { outcome: 'won', changedAt: at },
    '40.00 USD is over, and 25.00 USD came back. ',
  ],
])('%s says what of the money paid what was owed', (name, more, lead) => {
  const text = (cash: string, debt: string) =>
    renderEmail(name, { ...about, ...more, cash, debt, owed: '' }).text;
  expect(text('25.00 USD', '')).toContain(`${lead}It was added to your account.`);
  expect(text('', '25.00 USD')).toContain(`${lead}All of it paid what your account owed.`);
  expect(text('5.00 USD', '20.00 USD')).toContain(
    `${lead}20.00 USD of it paid what your account owed, and 5.00 USD was added to your cash.`,
  );
});

test.each([
  ['deposit-refunded', { deposited: '100.00 USD', refundedAt: at }],
  ['deposit-disputed', { outcome: 'opened', changedAt: at }],
  ['deposit-disputed', { outcome: 'raised', changedAt: at }],
])('%s says what was missing (%j)', (name, more) => {
  const text = (cash: string, debt: string) =>
    renderEmail(name, { ...about, ...more, cash, debt, owed: debt }).text;
  expect(text('25.00 USD', '')).toContain('It was taken from your account.');
  expect(text('', '25.00 USD')).toContain('no free cash for it: all of it is owed.');
  expect(text('5.00 USD', '20.00 USD')).toContain(
    '5.00 USD of it was taken from your cash. The other 20.00 USD was missing, and is owed.',
  );
});

test('a dispute is told by how it stands', () => {
  const subject = (outcome: string) =>
    renderEmail('deposit-disputed', { ...about, outcome, owed: '', changedAt: at }).subject;
  expect(['opened', 'raised', 'won', 'lost'].map(subject)).toEqual([
    'A deposit is disputed: 25.00 USD',
    'More of a deposit is disputed: 25.00 USD',
    'A dispute was decided for your deposit: 25.00 USD',
    'A dispute was decided against your deposit: 25.00 USD',
  ]);
});

test('data that does not fit, or no such template, is an error', () => {
  expect(() => renderEmail('task-reminder', { title: 'x' })).toThrow();
  expect(() => renderEmail('unknown', {})).toThrow('there is no e-mail template unknown');
});
