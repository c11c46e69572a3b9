import { expect, test } from 'vitest';
import { readFailure } from '../src/mail/refusal.ts';

const reply = (command: string, response: string, code = 'EENVELOPE') => ({
  code,
  command,
  response,
  responseCode: Number(response.slice(0, 3)),
  message: `it failed: ${response}`,
});

type Expected = 'dead address' | 'refused' | 'later: domain' | 'later: server' | 'later: mail';

test.each<[string, string, Expected]>([
  // Nobody is there.
  ['RCPT TO', '550 5.1.1 no such user', 'dead address'],
  ['RCPT TO', '550-5.1.1 no such user', 'dead address'],
  ['RCPT TO', '550 5.1.1 <relay@a.test>: user unknown in relay recipient table', 'dead address'],
  ['RCPT TO', '550 5.1.2 no such domain', 'dead address'],
  ['RCPT TO', '501 5.1.3 bad address syntax', 'dead address'],
  ['RCPT TO', '550 5.1.6 moved, left no address', 'dead address'],
  ['RCPT TO', '556 5.1.10 null MX', 'dead address'],
  ['RCPT TO', '550 5.2.1 mailbox disabled', 'dead address'],
  ['DATA', '550 5.1.1 no such user', 'dead address'],
  // About this mail or mailbox, as it is now.
  ['RCPT TO', '550 no such user', 'refused'],
  ['RCPT TO', '550 <relay@sender.test>: no such user', 'refused'],
  ['RCPT TO', '550 he has 5.1.1 mailboxes', 'refused'],
  ['RCPT TO', '501 bad address syntax', 'refused'],
  ['RCPT TO', '555 5.5.2 syntax error', 'refused'],
  ['RCPT TO', '552 5.2.2 mailbox full', 'refused'],
  ['RCPT TO', '552 too much', 'refused'],
  ['DATA', '554 5.6.0 content', 'refused'],
  ['DATA', '552 5.3.4 too large', 'refused'],
  ['DATA', '552 too large', 'refused'],
  ['MAIL FROM', '552 5.3.4 too large', 'refused'],
  ['MAIL FROM', '552 too large', 'refused'],
  ['MAIL FROM', '550 5.6.7 no such addresses here', 'refused'],
  // It may be about us, or the address may be there.
  ['RCPT TO', '550 5.1.0 address rejected', 'later: mail'],
  ['RCPT TO', '551 user not local', 'later: mail'],
  ['RCPT TO', '553 mailbox name not allowed', 'later: mail'],
  ['RCPT TO', '550 sender verify failed', 'later: mail'],
  ['RCPT TO', '550 authentication required', 'later: mail'],
  ['RCPT TO', '550 5.7.1 policy', 'later: mail'],
  ['RCPT TO', '554 5.7.1 client host is blocked', 'later: mail'],
  ['RCPT TO', '554 5.4.4 no route', 'later: mail'],
  ['RCPT TO', '550 5.4.5 daily quota exceeded', 'later: mail'],
  ['RCPT TO', '554 5.3.0 something', 'later: mail'],
  ['RCPT TO', '554 5.5.1 no valid recipients', 'later: mail'],
  ['RCPT TO', '554 refused', 'later: mail'],
  ['RCPT TO', '554 message rejected: address is not verified', 'later: mail'],
  ['DATA', '554 message rejected: address is not verified', 'later: mail'],
  ['DATA', '550 spam', 'later: mail'],
  ['DATA', '501 syntax', 'later: mail'],
  ['DATA', '552 5.7.0 blocked', 'later: mail'],
  // It is about us.
  ['RCPT TO', '554 5.7.1 <ada@a.test>: Relay access denied', 'later: server'],
  ['RCPT TO', '550 relay not permitted', 'later: server'],
  ['RCPT TO', '550 5.1.8 bad sender', 'later: server'],
  ['RCPT TO', '501 5.1.7 bad sender', 'later: server'],
  ['RCPT TO', '530 5.7.0 authentication required', 'later: server'],
  ['MAIL FROM', '550 5.7.1 this sender may not', 'later: server'],
  ['MAIL FROM', '550 5.1.1 no such sender', 'later: server'],
  ['MAIL FROM', '552 5.2.2 quota of the sender', 'later: server'],
  ['MAIL FROM', '451 4.3.0 not now', 'later: server'],
  ['AUTH PLAIN', '535 5.7.8 bad credentials', 'later: server'],
  ['CONN', '554 no service', 'later: server'],
  ['EHLO', '421 4.3.2 shutting down', 'later: server'],
  // Temporary.
  ['RCPT TO', '421 4.7.0 too many', 'later: domain'],
  ['RCPT TO', '451 4.3.0 not now', 'later: domain'],
  ['RCPT TO', '451 4.4.3 no name server', 'later: domain'],
  ['DATA', '451 4.3.2 not now', 'later: domain'],
  ['DATA', '452 too much', 'later: domain'],
  ['RCPT TO', '450 greylisted', 'later: mail'],
  ['RCPT TO', '450 4.1.1 no such user yet', 'later: mail'],
  ['RCPT TO', '451 4.7.1 greylisted', 'later: mail'],
  ['RCPT TO', '452 4.2.2 mailbox full', 'later: mail'],
  ['DATA', '451 4.7.1 greylisted', 'later: mail'],
])('%s %s: %s', (command, response, expected) => {
  const {
    outcome,
    isDeadAddress,
    trouble,
    replyCode,
    reply: said,
  } = readFailure(reply(command, response));
  const found =
    outcome === 'deferred' ? `later: ${trouble}` : isDeadAddress ? 'dead address' : 'refused';
  expect([found, replyCode, said]).toEqual([expected, Number(response.slice(0, 3)), response]);
});

test.each<[object, Expected | 'later: unknown']>([
  [{ code: 'ECONNECTION', message: 'connect ECONNREFUSED' }, 'later: server'],
  [{ code: 'ESOCKET', message: 'reset' }, 'later: server'],
  [{ code: 'EDNS', message: 'no such host' }, 'later: server'],
  [{ code: 'EAUTH', message: 'no credentials' }, 'later: server'],
  [{ code: 'ETLS', message: 'no certificate' }, 'later: server'],
  [{ code: 'ETIMEDOUT', message: 'Greeting never received' }, 'later: server'],
  [{ code: 'ETIMEDOUT', message: 'Timeout' }, 'later: domain'],
  [{ code: 'EENVELOPE', message: 'no recipient' }, 'refused'],
  [new DOMException('cut short', 'AbortError'), 'later: unknown'],
])('without a reply: %o is %s', (error, expected) => {
  const { outcome, trouble, replyCode, isDeadAddress } = readFailure(error);
  expect(outcome === 'refused' ? 'refused' : `later: ${trouble}`).toBe(expected);
  expect([replyCode, isDeadAddress]).toEqual([null, false]);
});

test('a 421 that ends the connection in the middle of a mail is the domain’s', () => {
  const error = { ...reply('CONN', '421 4.7.0 too many', 'ECONNECTION') };
  const closed = { ...error, message: `Server closed the connection: ${error.response}` };
  expect([readFailure(closed).trouble, readFailure(error).trouble]).toEqual(['domain', 'server']);
});

test('a reply is kept as far as Postgres can, and not longer than anybody reads', () => {
  const { reply: said } = readFailure(reply('DATA', `451 a\0b${'x'.repeat(5_000)}`));
  expect(said).toMatch(/^451 abx{990,}$/);
  expect(said).toHaveLength(1_000);
});
