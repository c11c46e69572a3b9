import { templatesOf } from '@gatehouse/domain/email-category';
import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { startTestSmtp, type TestSmtp } from '@gatehouse/testing/smtp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTemplate, TEMPLATES } from '../src/mail/templates.ts';
import { createMailTransport, type MailTransport } from '../src/mail/transport.ts';

let smtp: TestSmtp;
let transport: MailTransport;
beforeAll(async () => {
  smtp = await startTestSmtp();
  transport = createMailTransport(smtp.url, 'Gatehouse <no-reply@gatehouse.test>');
});
afterAll(async () => {
  transport.close();
  await smtp.close();
});

const NASTY = [
  'a\r\nBcc: all@evil.test',
  'a\nX-Injected: 1\n\n<p>body',
  'a\rTo: all@evil.test',
  'a\u0085b\u2028Bcc: all@evil.test\u2029c',
  'a\0b\u0007c\u001b[31m',
  '\r\n.\r\nMAIL FROM:<x@evil.test>\r\nRCPT TO:<all@evil.test>\r\nDATA\r\n',
  '.\n..\n. ',
  '"Ada, Countess" <all@evil.test>, b@evil.test; c@evil.test',
  '=?utf-8?q?all=40evil.test?= =?utf-8?B?QmNjOiBhbGxAZXZpbC50ZXN0?=',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  `" onmouseover="alert(1)' onfocus='x`,
  '</td></table></body><!-- ]]> &amp; &#0; %s {{x}}',
  'Ünïcödé 日本語 \u{1f600}\u{1f468}\u200d\u{1f469} \u202egnp.exe',
  'x'.repeat(3_000),
  `${'wörd '.repeat(600)}end`,
  '',
  '   ',
];

const HEADERS = [
  ...[
    'auto-submitted',
    'content-type',
    'date',
    'from',
    'message-id',
    'mime-version',
    'subject',
    'to',
  ],
];
const LIST_HEADERS = ['list-unsubscribe', 'list-unsubscribe-post'];

/** Tags and the names of their attributes, in their order. */
const skeleton = (html: string): string =>
  [...html.matchAll(/<(\/?[a-z!][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>/gi)]
    .map(([, tag = '', attributes = '']) =>
      [tag, ...[...attributes.matchAll(/([a-z-]+)="/gi)].map(([, name]) => name)].join(' '),
    )
    .join('\n');

const unixLines = (text = ''): string => text.replace(/\r\n?/g, '\n').trimEnd();

test.each(TEMPLATES.map(({ name }) => name))(
  '%s: nothing that is filled in adds a header, a reader or markup',
  async (name) => {
    const template = findTemplate(name);
    const sample = template.render(template.sample);
    for (const member of Object.keys(template.sample)) {
      const mails = NASTY.map((value) => {
        const id = newId();
        const content = template.render({ ...template.sample, [member]: value });
        const unsubscribeUrl =
          template.category === 'reminders' ? `https://a.test/unsubscribe/${id}` : null;
        return { id, value, recipient: 'ada@a.test', unsubscribeUrl, ...content };
      });
      const before = smtp.received.length;
      for (const mail of mails) await transport.send(mail, new AbortController().signal);
      expect(smtp.received.length).toBe(before + mails.length);
      mails.forEach((sent, index) => {
        const parsed = smtp.received[before + index];
        const raw = smtp.raw[before + index] ?? '';
        expect(parsed?.messageId).toBe(`<${sent.id}@gatehouse.test>`);
        expect(parsed?.to).toEqual([{ name: '', address: 'ada@a.test' }]);
        const keys = [...HEADERS, ...(sent.unsubscribeUrl === null ? [] : LIST_HEADERS)].sort();
        expect(parsed?.headers.map(({ key }) => key).sort()).toEqual(keys);
        // An address, or an encoded word, in a name or a title is read as the text that it is.
        expect(parsed?.subject?.replace(/\s+/g, ' ')).toBe(sent.subject.replace(/\s+/g, ' '));
        expect(sent.subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(
          raw.split('\r\n').every((line) => line.length <= 998 && !/[\r\n\0]/.test(line)),
        ).toBe(true);
        expect(unixLines(parsed?.text)).toBe(unixLines(sent.text));
        // What is shown is in it, and only as text: the markup is the same whatever it is.
        if (sent.html.length > 0 && sample.html.includes(template.sample[member] ?? '')) {
          if (template.sample[member] !== '' && sent.value !== '')
            expect(skeleton(parsed?.html ?? '')).toBe(skeleton(sample.html));
        }
        expect(parsed?.html).not.toMatch(/<script|<img|onerror=alert\(1\)>/i);
      });
      expect(new Set(smtp.recipients)).toEqual(new Set(['ada@a.test']));
    }
  },
);

test.each(TEMPLATES.map(({ name }) => name))(
  '%s has a subject, a text and a page that say the same',
  (name) => {
    const template = findTemplate(name);
    const { subject, text, html } = template.render(template.sample);
    expect(subject).toMatch(/\S/);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">[\s\S]*<\/html>\n$/);
    expect(text).not.toContain('<');
    for (const value of Object.values(template.sample)) {
      if (value !== '')
        expect([value, text.includes(value)]).toEqual([value, html.includes(value)]);
    }
  },
);

test('the categories are those of templates that there are', () => {
  const names = (category: string) =>
    TEMPLATES.filter((template) => template.category === category)
      .map(({ name }) => name)
      .sort();
  expect(names('security')).toEqual(templatesOf('security').sort());
  expect(names('reminders')).toEqual(templatesOf('reminders').sort());
  expect(names('reminders')).toEqual(['task-reminder']);
  expect(
    TEMPLATES.filter(({ secrets }) => secrets).every(({ category }) => category === 'security'),
  ).toBe(true);
});

test('the pool is as large as the URL says', async () => {
  const mails = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      id: newId(),
      recipient: `${n}@a.test`,
      subject: 'x',
      text: 'x',
      html: 'x',
      unsubscribeUrl: null,
    }));
  const own = await startTestSmtp();
  own.set('hang');
  const pool = createMailTransport(`${own.url}?maxConnections=3`, 'a@gatehouse.test');
  const sends = Promise.all(mails(9).map((mail) => pool.send(mail, AbortSignal.timeout(20_000))));
  await until(() => own.attempts === 3, { what: 'as many mails as there are connections' });
  own.set('accept');
  await sends;
  expect([pool.connections, own.mostConnections]).toEqual([3, 3]);
  pool.close();
  await own.close();
  expect(() =>
    createMailTransport('smtp://localhost?maxConnections=0', 'a@gatehouse.test'),
  ).toThrow('maxConnections of SMTP_URL is no whole number above 0');
});
