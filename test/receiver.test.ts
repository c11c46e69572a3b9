import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@gatehouse/local/ports';
import { until } from '@gatehouse/testing/condition';
import { listen } from '@gatehouse/testing/listen';
import { newWebhookSecret, signWebhook } from '@gatehouse/webhooks/signing';
import { keyOf } from '@gatehouse/webhooks/signing-key';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from './repository.ts';

const SECRET = newWebhookSecret();

/** A folder with what `npm start` writes about its stack, which is at this address. */
function stackAt(apiUrl: string | null): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-receiver-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const demo = { user: { email: 'demo@example.test', password: 'x', apiKey: 'gh_demo' } };
  if (apiUrl !== null) writeFileSync(join(dir, 'stack.json'), JSON.stringify({ apiUrl, demo }));
  return dir;
}

/** Runs the command as a process, as `npm run receiver` does. */
function receiver(args: string[], dir = stackAt(null)) {
  const child = spawn(process.execPath, ['scripts/receiver.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, GATEHOUSE_DIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      said[name] += chunk;
    });
  }
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    said,
    isReady: () => said.stdout.includes('Ctrl-C ends it'),
    url: () => /http:\/\/127\.0\.0\.1:\d+\//.exec(said.stdout)?.[0] ?? 'nowhere',
    lines: () => said.stdout.split('\n').filter((line) => /^\d\d:\d\d:\d\d\.\d{3} /.test(line)),
    interrupt: () => child.kill('SIGINT'),
    ended: async () => ({ code: (await ended)[0] as number | null, ...said }),
  };
}

type Receiver = ReturnType<typeof receiver>;

async function ready(started: Receiver): Promise<Receiver> {
  await until(() => started.isReady() || started.said.stderr !== '', { what: 'it to listen' });
  expect(started.said.stderr).toBe('');
  return started;
}

/** Sends what Gatehouse would send, and resolves with the status of the answer. */
async function send(
  url: string,
  id: string,
  { secret = SECRET, body = JSON.stringify({ id, type: 'order.filled', sequence: 7 }) } = {},
): Promise<number> {
  const timestamp = Math.floor(Date.now() / 1000);
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': `${timestamp}`,
      'webhook-signature': signWebhook({ id, timestamp, body }, [keyOf(secret)]),
    },
  });
  return response.status;
}

/** The API, as far as the receiver knows it. */
async function api(answer: { status: number; body: object }, endpoints: object[] = []) {
  const requests: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    requests.push({
      did: `${method} ${url}`,
      as: headers.authorization,
      body: body && JSON.parse(body),
    });
    if (method === 'DELETE') response.writeHead(204).end();
    else if (method === 'GET') response.end(JSON.stringify({ data: endpoints }));
    else response.writeHead(answer.status).end(JSON.stringify(answer.body));
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.close();
  });
  return { requests, url: `http://127.0.0.1:${port}` };
}

it('verifies what comes, tells twins from new ones, and says so in a line each', async () => {
  const { url, lines } = await ready(receiver(['--port', '0', '--secret', SECRET]));
  expect(await send(url(), 'one')).toBe(204);
  expect(await send(url(), 'one')).toBe(204);
  expect(await send(url(), 'forged', { secret: newWebhookSecret() })).toBe(400);
  expect(await send(url(), 'one', { body: 'no JSON\u001b[2J' })).toBe(204);
  expect((await fetch(url(), { method: 'POST', body: '{"type":"\\u001b[2J"}' })).status).toBe(400);
  const shown = await until(() => lines().length >= 5 && lines(), { what: 'five lines' });
  expect(shown.map((line) => line.replace(/^\S+ +/, '').replace(/ +/g, ' '))).toEqual([
    'order.filled one #7 verified new -> 204',
    'order.filled one #7 verified again (2 times) -> 204',
    'order.filled forged #7 NOT verified: its signature is not of this secret and this body -> 400',
    'no type one verified again (3 times) -> 204',
    '?[2J no id NOT verified: there is no webhook-id -> 400',
  ]);
});

it('answers what it is told to, after as long as it is told to', async () => {
  const args = ['--port', '0', '--secret', SECRET, '--fail', '503', '--delay', '300'];
  const { url, lines } = await ready(receiver(args));
  const before = performance.now();
  expect(await send(url(), 'one')).toBe(503);
  expect(performance.now() - before).toBeGreaterThanOrEqual(290);
  await until(() => lines()[0]?.endsWith('verified  new  -> 503'), { what: 'its line' });
});

it('registers itself at the running stack, and deletes its endpoint at the end', async () => {
  const { requests, url: apiUrl } = await api({
    status: 201,
    body: { id: 'endpoint-1', secret: SECRET },
  });
  const args = ['--port', '0', '--events', 'order.*, task.due', '--ordered'];
  const started = await ready(receiver(args, stackAt(apiUrl)));
  expect(requests).toEqual([
    { did: 'GET /v1/webhook-endpoints?limit=100', as: 'Bearer gh_demo', body: '' },
    {
      did: 'POST /v1/webhook-endpoints',
      as: 'Bearer gh_demo',
      body: {
        url: started.url(),
        eventTypes: ['order.*', 'task.due'],
        ordered: true,
        description: 'npm run receiver',
      },
    },
  ]);
  expect(await send(started.url(), 'one')).toBe(204);
  expect(await send(started.url(), 'two', { secret: newWebhookSecret() })).toBe(400);
  started.interrupt();
  const { code, stdout, stderr } = await started.ended();
  expect([code, stderr]).toEqual([0, '']);
  expect(requests.slice(2)).toEqual([
    { did: 'DELETE /v1/webhook-endpoints/endpoint-1', as: 'Bearer gh_demo', body: '' },
  ]);
  expect(stdout).toContain('endpoint endpoint-1 is deleted');
  expect(stdout).not.toContain(SECRET);
});

it('deletes what a killed run left, and nothing of anybody who still listens', async () => {
  const { url: listening } = await ready(receiver(['--port', '0', '--secret', SECRET]));
  const description = 'npm run receiver';
  const dead = `http://127.0.0.1:${await freePort()}/`;
  const port = await freePort();
  const { requests, url: apiUrl } = await api(
    { status: 201, body: { id: 'endpoint-1', secret: SECRET } },
    [
      { id: 'left', url: dead, description },
      { id: 'left-here', url: `http://127.0.0.1:${port}/`, description },
      { id: 'running', url: listening(), description },
      { id: 'another', url: dead, description: null },
      { id: 'elsewhere', url: 'http://192.0.2.1:1/', description },
    ],
  );
  await ready(receiver(['--port', `${port}`], stackAt(apiUrl)));
  expect(requests.map(({ did }) => did)).toEqual([
    'GET /v1/webhook-endpoints?limit=100',
    'DELETE /v1/webhook-endpoints/left',
    'DELETE /v1/webhook-endpoints/left-here',
    'POST /v1/webhook-endpoints',
  ]);
});

it('says in one line why it cannot start', async () => {
  const refusing = await api({ status: 422, body: { detail: 'only an https URL is called' } });
  const free = ['--port', '0'];
  const taken = new URL(refusing.url).port;
  const cases: [Receiver, number, RegExp][] = [
    [
      receiver(free),
      1,
      /^no stack is running here: `npm start` first, or give --secret whsec_…\n$/,
    ],
    [
      receiver(free, stackAt('http://127.0.0.1:1')),
      1,
      /^the API at http:\/\/127\.0\.0\.1:1 does not answer\n$/,
    ],
    [receiver(free, stackAt(refusing.url)), 1, /^the API says 422: only an https URL is called\n$/],
    [
      receiver(['--port', taken, '--secret', SECRET]),
      1,
      new RegExp(`^port ${taken} is taken: choose another with --port\n$`),
    ],
    [receiver(['--port', '70000']), 2, /^--port takes a number from 0 to 65535 \(--help .*\)\n$/],
    [receiver(['--secret', 'whsec_x']), 2, /^a webhook secret is whsec_ and 24 to 64 [^\n]*\n$/],
    [receiver(['--secret', SECRET, '--events', '*']), 2, /^--events and --ordered [^\n]*\n$/],
    [receiver(['--nonsense']), 2, /^Unknown option '--nonsense' \(--help .*\)\n$/],
  ];
  for (const [started, code, message] of cases) {
    const outcome = await started.ended();
    expect(outcome.stderr).toMatch(message);
    expect([outcome.code, outcome.stdout]).toEqual([code, '']);
  }
});
