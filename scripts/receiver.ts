import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { keyOf } from '@gatehouse/webhooks/signing-key';
import { register } from './receiver-registration.ts';
import { createReceiver } from './receiver-server.ts';
import { findStack } from './target.ts';
import {
  listenError,
  readArguments,
  runCommand,
  UsageError,
  understood,
  wholeNumber,
} from './usage.ts';

const USAGE = `npm run receiver -- [options]: takes webhooks on this machine, verifies each and prints it in a line

  Without --secret it registers itself at the stack that \`npm start\` runs here, as an endpoint of the demo user, and
  deletes the endpoint at Ctrl-C.

  --port number     where it listens, on 127.0.0.1; 4000 unless given, 0 for any free one
  --events types    what it asks for, comma separated: order.filled, order.*; all unless given
  --ordered         asks for one event at a time, in their order, each with its sequence
  --secret whsec_…  registers nothing, and verifies with this secret
  --fail status     answers with this status in place of 204: what is sent comes again
  --delay ms        waits so long before each answer
  --help            this text

A line is: the time, the type, the id, its place in an ordered endpoint, whether it is verified, whether it is new, and the
answer. Exits with 1 when it could not start, or its endpoint is left behind; with 2 when it was not understood.`;

function parse(args: string[]) {
  const { values } = readArguments({
    args,
    options: {
      port: { type: 'string', default: '4000' },
      events: { type: 'string' },
      ordered: { type: 'boolean', default: false },
      secret: { type: 'string' },
      fail: { type: 'string' },
      delay: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { port, events, secret, fail, delay, ...others } = values;
  if (secret !== undefined) understood(() => keyOf(secret));
  if (secret !== undefined && (events !== undefined || others.ordered)) {
    throw new UsageError('--events and --ordered are for registering: not with --secret');
  }
  return {
    ...others,
    secret,
    port: wholeNumber('port', port, 0, 65_535),
    eventTypes: (events ?? '*').split(',').map((type) => type.trim()),
    status: fail === undefined ? 204 : wholeNumber('fail', fail, 200, 599),
    delayMs: wholeNumber('delay', delay, 0, 600_000),
  };
}

async function run(args: string[]): Promise<void> {
  const { help, port, secret, eventTypes, ordered, status, delayMs } = parse(args);
  if (help) {
    console.log(USAGE);
    return;
  }
  const stack = secret === undefined ? await findStack('give --secret whsec_…') : null;
  const receiver = createReceiver({ status, delayMs, print: console.log });
  const ended = signal();
  const url = await listen(receiver.server, port);
  try {
    const registration = stack && (await register(stack, { url, eventTypes, ordered }));
    receiver.verifyWith(registration?.secret ?? secret ?? '');
    console.log(
      registration
        ? `${url} is endpoint ${registration.id} of ${registration.owner} now, for ${eventTypes.join(', ')}`
        : `${url} takes webhooks that are signed with the secret that was given`,
    );
    console.log('Ctrl-C ends it.\n');
    await ended;
    await registration?.remove();
    if (registration) console.log(`\nendpoint ${registration.id} is deleted`);
  } finally {
    receiver.server.closeAllConnections();
    receiver.server.close();
  }
}

async function listen(
  server: ReturnType<typeof createReceiver>['server'],
  port: number,
): Promise<string> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, port);
  }
  const address = server.address() as AddressInfo;
  return `http://127.0.0.1:${address.port}/`;
}

function signal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve());
  return promise;
}

await runCommand(() => run(process.argv.slice(2)));
