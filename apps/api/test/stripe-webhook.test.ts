import { request as httpRequest } from 'node:http';
import Stripe from 'stripe';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { afterFile, type Gateway, type Reply, startGateway } from './harness.ts';
import { deliver, eventText, nowSeconds, PATH, SECRET, sign } from './stripe-events.ts';
import { malformedSignatures } from './stripe-signatures.ts';

const OLD_SECRET = 'whsec_that_goes';

let gateway: Gateway;
beforeAll(async () => {
  const settings = { STRIPE_WEBHOOK_SECRETS: ` ${OLD_SECRET}, ${SECRET},`, RATE_LIMIT_MAX: '1' };
  gateway = await startGateway(settings, afterFile);
});
beforeEach(async () => {
  await gateway.db.stripeEvent.deleteMany();
  await gateway.db.job.deleteMany();
});

const stored = () => gateway.db.stripeEvent.findMany({ orderBy: { id: 'asc' } });

function expectSecurityHeaders(headers: Headers): void {
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-request-id')).toMatch(/^[\w.-]+$/);
}

async function expectRefusal({ status, headers, body }: Reply, code: string): Promise<void> {
  expect([status, body.code]).toEqual([400, code]);
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expectSecurityHeaders(headers);
  expect([await gateway.db.stripeEvent.count(), await gateway.db.job.count()]).toEqual([0, 0]);
}

test('an event that is signed well is stored as it came, with its job, and taken', async () => {
  const payload = ` {"type": "charge.refunded", "type":"payment_intent.succeeded",\n"note":"\\u0000 é😀",
    "data":{"object":{"amount":1e2}}, "livemode":true, "id":"evt_one","object":"event"}\n`;
  const stripe = new Stripe('sk_test_none');
  const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET });
  const { status, text, headers } = await deliver(gateway, payload, {
    'stripe-signature': signature,
    'x-request-id': 'from-stripe',
    // Nothing of these is for this route.
    authorization: 'Bearer nobody',
    'idempotency-key': '\u00e9',
    cookie: 'admin_session=x; refresh_token=y',
  });
  expect([status, text]).toEqual([200, '{"received":true}']);
  expect(headers.get('ratelimit')).toBeNull();
  expectSecurityHeaders(headers);
  expect(await stored()).toMatchObject([
    {
      eventId: 'evt_one',
      type: 'payment_intent.succeeded',
      livemode: true,
      source: 'webhook',
      status: 'received',
      outcome: null,
      payload,
      processedAt: null,
    },
  ]);
  const [event] = await stored();
  expect(await gateway.db.job.findMany()).toMatchObject([
    {
      queue: 'payments',
      name: 'process-stripe-event',
      subjectId: event?.id,
      payload: { stripeEventId: event?.id },
      requestId: 'from-stripe',
    },
  ]);
});

test('snapshot and thin events are taken with no more than an id and a type', async () => {
  const events = [
    { id: 'evt_1', object: 'event', type: 'charge.refunded', data: { object: {} } },
    { id: 'evt_2', object: 'v2.core.event', type: 'v1.billing.meter.no_meter_found' },
    { id: 'evt_3', object: 'event', type: 'unheard.of', livemode: false, account: 'acct_1' },
    { id: 'e', type: 't', livemode: null },
    { id: 'x'.repeat(255), type: 'y'.repeat(255) },
    { id: "evt_';--$1", type: '<script>' },
  ];
  for (const event of events) expect((await deliver(gateway, eventOf(event))).status).toBe(200);
  expect((await stored()).map(({ eventId, type, livemode }) => [eventId, type, livemode])).toEqual(
    events.map(({ id, type }) => [id, type, false]),
  );
  expect(await gateway.db.job.count()).toBe(events.length);
});

const eventOf = (event: object) => JSON.stringify(event);

test('the body is what it is, whatever it is called', async () => {
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'nonsense', 'a/b;;', '*', '/'];
  for (const type of [...types, 'application/json; charset=utf-16', 'multipart/form-data']) {
    const body = eventText();
    const headers = { 'stripe-signature': sign(body), 'content-type': type };
    expect([type, (await deliver(gateway, body, headers)).status]).toEqual([type, 200]);
  }
  const untyped = new TextEncoder().encode(eventText());
  expect((await deliver(gateway, untyped)).status).toBe(200);
  expect(await gateway.db.stripeEvent.count()).toBe(types.length + 3);
});

test('either secret may sign, another may not', async () => {
  for (const secret of [OLD_SECRET, SECRET]) {
    const body = eventText();
    const answer = await deliver(gateway, body, { 'stripe-signature': sign(body, secret) });
    expect([secret, answer.status]).toEqual([secret, 200]);
  }
  await gateway.db.stripeEvent.deleteMany();
  await gateway.db.job.deleteMany();
  for (const secret of ['whsec_other', '', `${OLD_SECRET}, ${SECRET}`, SECRET.slice(6)]) {
    const body = eventText();
    const answer = await deliver(gateway, body, { 'stripe-signature': sign(body, secret) });
    await expectRefusal(answer, 'stripe_signature_invalid');
  }
});

test('what is stale, from the future, forged, truncated or not signed is refused', async () => {
  const body = eventText();
  const far = [-86_400, -320, 320, 86_400].map((offset) => nowSeconds() + offset);
  const refused: [string, Record<string, string>][] = [
    ...far.map((time) => [body, { 'stripe-signature': sign(body, SECRET, time) }] as const),
    [body, {}],
    [body, { 'stripe-signature': sign(`${body} `) }],
    [body.slice(0, -1), { 'stripe-signature': sign(body) }],
    ['', { 'stripe-signature': sign(body) }],
  ].map(([text, headers]) => [text, headers] as [string, Record<string, string>]);
  for (const [text, headers] of refused) {
    await expectRefusal(await deliver(gateway, text, headers), 'stripe_signature_invalid');
  }
  const near = [-280, 280].map((offset) => sign(body, SECRET, nowSeconds() + offset));
  for (const header of near) {
    expect((await deliver(gateway, body, { 'stripe-signature': header })).status).toBe(200);
  }
});

test('every malformed header is a 400, never a 5xx, and nothing is stored', async () => {
  const body = eventText();
  const right = sign(body);
  const time = nowSeconds();
  const digest = right.slice(right.indexOf('v1=') + 3);
  const table = malformedSignatures(time, digest);
  expect(table.length).toBeGreaterThan(300);
  const answers = await Promise.all(
    table.map((header) => deliver(gateway, body, { 'stripe-signature': header })),
  );
  for (const [index, { status, body: problem }] of answers.entries()) {
    const shown = JSON.stringify(table[index]);
    expect([shown, status, problem.code]).toEqual([shown, 400, 'stripe_signature_invalid']);
  }
  const twice = await deliverTwiceSigned(body, [right, right]);
  expect(twice).toBe(400);
  expect([await gateway.db.stripeEvent.count(), await gateway.db.job.count()]).toEqual([0, 0]);
});

/** `fetch` makes one header of two. */
function deliverTwiceSigned(body: string, signatures: string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'stripe-signature': signatures };
    const request = httpRequest(gateway.url + PATH, { method: 'POST', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.on('error', reject).end(body);
  });
}

test('what is signed well and is no event is refused', async () => {
  const bodies: (string | Uint8Array<ArrayBuffer>)[] = [
    '',
    ' ',
    'null',
    'true',
    '"evt_1"',
    '[]',
    '{}',
    `[${eventText()}]`,
    `${eventText()}${eventText()}`,
    eventText().slice(0, -1),
    `\ufeff${eventText()}`,
    eventText().replace('evt_', '\u0000'),
    '['.repeat(500_000),
    '{"__proto__":{"id":"evt_1","type":"charge.refunded"}}',
    ...[null, 1, '', ' ', 'a b', 'a\n', 'é', '\u0000', 'x'.repeat(256), {}, ['evt_1']].flatMap(
      (value) => [eventText({ id: value }), eventText({ type: value })],
    ),
    eventText({ id: undefined }),
    eventText({ type: undefined }),
    // Not UTF-8: a stray byte, one that is cut off, an overlong one, half of a pair.
    ...[[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80]].map((bytes) =>
      withBytes(eventText({ note: '@' }), Uint8Array.from(bytes)),
    ),
    Uint8Array.from(Buffer.from(eventText(), 'utf16le')),
  ];
  for (const body of bodies) {
    await expectRefusal(await deliver(gateway, body), 'stripe_event_invalid');
  }
});

/** The text with bytes in the place of its `@`. */
function withBytes(text: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const [before = '', after = ''] = text.split('@');
  return Uint8Array.from(Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]));
}

test('a body of a megabyte is taken, a larger one is a 413', async () => {
  const frame = eventText({ note: '' }).length;
  const largest = eventText({ note: 'x'.repeat(1_048_576 - frame) });
  expect((await deliver(gateway, largest)).status).toBe(200);
  const larger = await deliver(gateway, eventText({ note: 'x'.repeat(1_048_577 - frame) }));
  expect([larger.status, larger.body.code]).toEqual([413, 'body_too_large']);
  expect((await stored()).map(({ payload }) => payload)).toEqual([largest]);
});

test('one event 20 times at once at two gateways: taken each time, stored once, with one job', async () => {
  const replica = await gateway.replica();
  for (let round = 0; round < 5; round += 1) {
    const body = eventText({ id: `evt_${round}` });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => deliver(index % 2 ? replica : gateway, body)),
    );
    expect(answers.map(({ status, text }) => [status, text])).toEqual(
      Array(20).fill([200, '{"received":true}']),
    );
    const rows = await stored();
    expect(rows.map(({ eventId }) => eventId)).toEqual(
      Array.from({ length: round + 1 }, (_, index) => `evt_${index}`),
    );
    const jobs = await gateway.db.job.findMany({ orderBy: { id: 'asc' } });
    expect(jobs.map(({ subjectId }) => subjectId).sort()).toEqual(rows.map(({ id }) => id).sort());
  }
  // Other bytes under the same id, later: the first stay.
  const [first] = await stored();
  expect((await deliver(gateway, eventText({ id: 'evt_0', type: 'other' }))).status).toBe(200);
  expect((await stored())[0]).toEqual(first);
  expect(await gateway.db.job.count()).toBe(5);
});

test('the job of an event is handed to its queue', async () => {
  await deliver(gateway, eventText());
  const { id } = await gateway.db.job.findFirstOrThrow();
  await expect
    .poll(async () => (await gateway.app.queues.payments.getJobs()).map((job) => job.data.id))
    .toContain(id);
});

test('the API docs have the route, for anybody, with its answers', async () => {
  const { paths } = (await gateway.call('GET', '/openapi.json')).body;
  const { post } = paths[PATH];
  expect([post.security, post.tags]).toEqual([[], ['Deposits']]);
  expect(Object.keys(post.responses)).toEqual(
    expect.arrayContaining(['200', '400', '413', '429', '503']),
  );
  expect(post.parameters).toMatchObject([
    { in: 'header', name: 'stripe-signature', required: true },
  ]);
  expect(post.requestBody.content['application/json'].schema).toMatchObject({
    required: ['id', 'type'],
  });
  expect((await gateway.call('GET', PATH)).status).toBe(405);
});
