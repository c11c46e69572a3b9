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

test('data that does not fit, or no such template, is an error', () => {
  expect(() => renderEmail('task-reminder', { title: 'x' })).toThrow();
  expect(() => renderEmail('unknown', {})).toThrow('there is no e-mail template unknown');
});
