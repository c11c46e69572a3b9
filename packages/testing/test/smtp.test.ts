import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../src/condition.ts';
import { startTestSmtp, type TestSmtp } from '../src/smtp.ts';

async function testSmtp(): Promise<TestSmtp> {
  const smtp = await startTestSmtp();
  onTestFinished(() => smtp.close());
  return smtp;
}

/** Speaks to the server, a command at a time, and tells of each the code of its answer. */
async function client({ url }: TestSmtp) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const code = async () => Number((await lines.next()).value?.slice(0, 3));
  await code();
  const say = (command: string): Promise<number> => {
    socket.write(`${command}\r\n`);
    return code();
  };
  const leave = async (): Promise<void> => {
    const closed = once(socket, 'close');
    socket.end();
    await closed;
  };
  await say('HELO client.test');
  return { say, leave };
}

it('counts no mail of a client that left in the middle', async () => {
  const smtp = await testSmtp();
  smtp.answer('slow.test', 'hang');
  const first = await client(smtp);
  await first.say('MAIL FROM:<me@client.test>');
  first.say('RCPT TO:<one@slow.test>');
  await until(() => smtp.mostAtOnce('slow.test') === 1, { what: 'the recipient to be named' });
  await first.leave();

  smtp.answer('slow.test', 'accept');
  const second = await client(smtp);
  await second.say('MAIL FROM:<me@client.test>');
  expect(await second.say('RCPT TO:<two@slow.test>')).toBe(250);
  // It begins anew, and so does the count.
  await second.say('RSET');
  await second.say('MAIL FROM:<me@client.test>');
  expect(await second.say('RCPT TO:<three@slow.test>')).toBe(250);
  expect(smtp.mostAtOnce('slow.test')).toBe(1);
});

it('counts the mails of a domain that are under way at once', async () => {
  const smtp = await testSmtp();
  smtp.answer('refused@full.test', { code: 452, text: 'mailbox full' });
  const clients = await Promise.all([client(smtp), client(smtp)]);
  for (const { say } of clients) await say('MAIL FROM:<me@client.test>');
  for (const { say } of clients) expect(await say('RCPT TO:<one@full.test>')).toBe(250);
  expect(smtp.mostAtOnce('full.test')).toBe(2);
  expect(await clients[0]?.say('RCPT TO:<refused@full.test>')).toBe(452);
  expect(await clients[1]?.say('RCPT TO:<refused@full.test>')).toBe(452);
  expect(smtp.mostAtOnce('full.test')).toBe(3);
});
