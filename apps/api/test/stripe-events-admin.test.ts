import { newId } from '@gatehouse/domain/id';
import { until } from '@gatehouse/testing/condition';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { afterFile, type Gateway, startGateway } from './harness.ts';
import { newPerson, type Person } from './people.ts';
import { addStripeEvents, deliver, eventText, SECRET } from './stripe-events.ts';

const EVENTS = '/v1/admin/stripe-events';

let gateway: Gateway;
let admin: Person;
let operator: Person;
beforeAll(async () => {
  gateway = await startGateway({ STRIPE_WEBHOOK_SECRETS: SECRET, RATE_LIMIT_MAX: '0' }, afterFile);
  admin = await newPerson(gateway, 'admin');
  operator = await newPerson(gateway, 'operator');
});
beforeEach(async () => {
  await gateway.db.stripeEvent.deleteMany();
  await gateway.db.job.deleteMany();
});

/** What was written down of an event. */
const acts = (subjectId: string) => gateway.db.auditEntry.findMany({ where: { subjectId } });
const only = () => gateway.db.stripeEvent.findFirstOrThrow();

test('the client secret of a payment is not kept, and nobody reads it in an event', async () => {
  const object = { id: 'pi_1', client_secret: 'pi_1_secret_\\"x', amount: 2500 };
  const last_payment_error = { payment_intent: { client_secret: 'pi_1_secret_y' } };
  const payload = eventText({ data: { object: { ...object, last_payment_error } } });
  expect((await deliver(gateway, payload)).status).toBe(200);
  const stored = await only();
  expect(stored.payload).not.toContain('secret_');
  const { event } = (await operator.call('GET', `${EVENTS}/${stored.id}`)).body;
  expect(event.data.object).toEqual({
    ...object,
    client_secret: 'hidden',
    last_payment_error: { payment_intent: { client_secret: 'hidden' } },
  });
});

test('operators list events, newest first, by what they are, without what they say', async () => {
  for (const type of ['charge.refunded', 'payment_intent.succeeded', 'charge.refunded']) {
    expect((await deliver(gateway, eventText({ type }))).status).toBe(200);
  }
  const rows = await gateway.db.stripeEvent.findMany({ orderBy: { id: 'desc' } });
  const [third, second, first] = rows;
  const end = { outcome: 'because', processedAt: new Date('2026-11-20T08:00:00Z') };
  const change = { status: 'ignored', source: 'reconciliation', ...end } as const;
  await gateway.db.stripeEvent.update({ where: { id: first?.id ?? '' }, data: change });
  const list = async (query = '') => (await operator.call('GET', EVENTS + query)).body;
  const ids = async (query: string) => (await list(query)).data.map(({ id }: { id: string }) => id);

  expect(await ids('')).toEqual([third?.id, second?.id, first?.id]);
  expect(await ids('?type=charge.refunded')).toEqual([third?.id, first?.id]);
  expect(await ids('?status=received')).toEqual([third?.id, second?.id]);
  expect(await ids('?source=reconciliation')).toEqual([first?.id]);
  expect(await ids(`?eventId=${second?.eventId}`)).toEqual([second?.id]);
  expect(await ids('?type=charge.refunded&status=received')).toEqual([third?.id]);
  expect(await ids('?eventId=evt_none')).toEqual([]);

  const page = await list('?limit=2');
  expect([page.hasMore, page.nextCursor]).toEqual([true, second?.id]);
  const next = await list(`?limit=2&cursor=${page.nextCursor}`);
  expect(next).toEqual({
    data: [
      {
        id: first?.id,
        eventId: first?.eventId,
        type: 'charge.refunded',
        livemode: false,
        source: 'reconciliation',
        status: 'ignored',
        outcome: 'because',
        receivedAt: first?.receivedAt.toISOString(),
        processedAt: '2026-11-20T08:00:00.000Z',
      },
    ],
    hasMore: false,
    nextCursor: null,
  });
  for (const query of ['?status=done', '?source=mail', '?type=', '?limit=0', '?nope=1']) {
    expect([query, (await operator.call('GET', EVENTS + query)).status]).toEqual([query, 400]);
  }
});

test('an event is shown with all that it says', async () => {
  const said = { id: 'evt_1', type: 'charge.refunded', note: '\u0000 é', amount: 12.5, list: [[]] };
  await deliver(gateway, JSON.stringify(said));
  const { id, payload } = await only();
  const { status, body, headers } = await operator.call('GET', `${EVENTS}/${id}`);
  expect([status, body.event]).toEqual([200, said]);
  expect(body).toMatchObject({ id, eventId: 'evt_1', status: 'received', processedAt: null });
  expect(body).not.toHaveProperty('payload');
  const same = { 'if-none-match': headers.get('etag') ?? '' };
  expect((await operator.call('GET', `${EVENTS}/${id}`, { headers: same })).status).toBe(304);
  expect((await only()).payload).toBe(payload);
});

test('an event that cannot be shown is shown without what it says', async () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const body = eventText({ note: '@' }).replace('"@"', deep);
  expect((await deliver(gateway, body)).status).toBe(200);
  const { id, eventId } = await only();
  const show = async () => (await operator.call('GET', `${EVENTS}/${id}`)).body;
  expect(await show()).toMatchObject({ id, eventId, event: null });
  await gateway.db.stripeEvent.updateMany({ data: { payload: '{"id":' } });
  expect(await show()).toMatchObject({ id, eventId, event: null });
});

test('a replay owes the event a new job, and is written down', async () => {
  const [id = ''] = await addStripeEvents(gateway.db, 1);
  const before = await only();
  const answer = await admin.call('POST', `${EVENTS}/${id}/replay`, {
    headers: { 'x-request-id': 'again' },
  });
  expect([answer.status, answer.body]).toMatchObject([
    202,
    { id, status: before.status, outcome: before.outcome },
  ]);
  expect(await only()).toEqual(before);
  expect(await gateway.db.job.findMany()).toMatchObject([
    {
      queue: 'payments',
      name: 'process-stripe-event',
      subjectId: id,
      payload: { stripeEventId: id },
      requestId: 'again',
    },
  ]);
  expect(await acts(id)).toMatchObject([
    {
      action: 'stripe_event.replayed',
      actorId: admin.userId,
      subjectType: 'stripe_event',
      subjectId: id,
      details: { eventId: before.eventId, type: before.type },
    },
  ]);
  const { id: jobId } = await gateway.db.job.findFirstOrThrow();
  await until(
    async () => (await gateway.app.queues.payments.getJobs()).some(({ data }) => data.id === jobId),
    { what: 'the job to be handed over' },
  );
});

test('of many replays at once one is done, and none while a job is owed, be it dead', async () => {
  const [id = ''] = await addStripeEvents(gateway.db, 1);
  const replay = () => admin.call('POST', `${EVENTS}/${id}/replay`);
  const answers = await Promise.all(Array.from({ length: 10 }, replay));
  const statuses = answers.map(({ status, body }) => [status, body.code]);
  expect(statuses.filter(([status]) => status === 202)).toHaveLength(1);
  expect(statuses.filter(([status]) => status !== 202)).toEqual(
    Array(9).fill([409, 'stripe_event_in_progress']),
  );
  expect(await gateway.db.job.count()).toBe(1);
  expect(await acts(id)).toHaveLength(1);
  await gateway.db.job.updateMany({ data: { state: 'dead' } });
  expect((await replay()).status).toBe(409);
  await gateway.db.job.deleteMany();
  expect((await replay()).status).toBe(202);
});

test('users see nothing, operators read only, and what is not there is not found', async () => {
  const [id = ''] = await addStripeEvents(gateway.db, 1);
  const user = await newPerson(gateway, 'user');
  const calls = [
    ['GET', EVENTS],
    ['GET', `${EVENTS}/${id}`],
    ['POST', `${EVENTS}/${id}/replay`],
  ] as const;
  for (const [method, path] of calls) {
    expect((await gateway.call(method, path)).status).toBe(401);
    expect((await user.call(method, path)).status).toBe(403);
  }
  expect((await operator.call('POST', `${EVENTS}/${id}/replay`)).status).toBe(403);
  expect((await only()).status).toBe('processed');
  expect((await operator.call('GET', `${EVENTS}/${newId()}`)).status).toBe(404);
  expect((await admin.call('POST', `${EVENTS}/${newId()}/replay`)).status).toBe(404);
  expect((await operator.call('GET', `${EVENTS}/evt_1`)).status).toBe(400);
});
