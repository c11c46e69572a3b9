import { newId } from '@gatehouse/domain/id';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createIdleLedger } from '@gatehouse/testing/idle-ledger';
import { addTestEvents, createTestEndpoint, publishTestEvents } from '@gatehouse/testing/webhooks';
import { test } from 'vitest';
import type { Database } from '../src/client.ts';
import { lockEventLog } from '../src/event-log.ts';
import { insertSingleJobs } from '../src/single-jobs.ts';
import { beginReplay, measureWindow } from '../src/webhook-replays.ts';
import { unsubscribe } from '../src/webhook-subscriptions.ts';
import { newJob } from './new-job.ts';
import { expectNoticed } from './tampering.ts';

const LOG = 'the places in the event log follow one another, up to its end';
const LISTENING =
  'every endpoint that is enabled listens to its event types, and no other listens to anything';
const REACHED = 'every event is delivered, or owed, to every endpoint that listened then';
const TESTS = 'every test event is delivered, or owed, to its endpoint';
const PROPER =
  "every delivery is of a published event of its endpoint's account, and of no other endpoint's test";
const NUMBERS = 'the deliveries of every endpoint have numbers of their own, up to its last';
const OWED =
  'every pending delivery of an endpoint that is enabled or deleted is owed its job, in time unless that fails or is dead';
const ARRIVED = 'every delivery that succeeded has an attempt that did';
const REPLAY = 'every replay that is running is owed its job';

/**
 * A log of events, two of them a test and one not published, an endpoint for orders, one in order for all, one that was
 * disabled after its first event, and a replay.
 */
async function livedThrough(db: Database): Promise<void> {
  const ledger = createIdleLedger();
  const { accountId } = await createTestAccount(db);
  const orders = await createTestEndpoint(db, accountId, {
    url: 'orders',
    eventTypes: ['order.*'],
  });
  await createTestEndpoint(db, accountId, { url: 'all', ordered: true });
  const off = await createTestEndpoint(db, accountId, { url: 'off' });
  await addTestEvents(db, accountId, ['order.filled']);
  await publishTestEvents(db, ledger);
  await db.$transaction(async (tx) => {
    const lastSeq = await lockEventLog(tx);
    const disabled = { disabledReason: 'owner', disabledAt: new Date() } as const;
    await tx.webhookEndpoint.update({ where: { id: off }, data: disabled });
    await unsubscribe(tx, off, lastSeq);
  });
  await addTestEvents(db, accountId, ['order.filled', 'task.due', 'order.expired']);
  await addTestEvents(db, accountId, ['webhook_endpoint.test'], { onlyEndpointId: orders });
  await publishTestEvents(db, ledger);
  const replay = { id: newId(), accountId, endpointId: orders, requestId: null };
  const job = newJob({ name: 'replay-webhooks', subjectId: replay.id });
  await db.$transaction(async (tx) => {
    await insertSingleJobs(tx, [job]);
    const wish = { ...replay, since: new Date(0), until: new Date(), onlyFailed: false };
    await beginReplay(tx, wish, await measureWindow(tx, wish));
  });
  await addTestEvents(db, accountId, ['task.created']);
}

const TOLD = `webhook_delivery SET status = 'succeeded', next_attempt_at = NULL, ended_at = now()`;
const idOf = (url: string) => `(SELECT id FROM webhook_endpoint WHERE url = '${url}')`;
const deliveriesOf = (url: string) => `webhook_delivery WHERE endpoint_id = ${idOf(url)}`;
const jobOf = (url: string) => `name = 'deliver-webhooks' AND subject_id = ${idOf(url)}`;

test.each<[string, string, string[]]>([
  [
    'a gap in the log',
    'UPDATE event SET seq = 9 WHERE seq = 5; UPDATE event_log SET last_seq = 9',
    [LOG],
  ],
  ['a log that goes further than it says', 'UPDATE event_log SET last_seq = 4', [LOG]],
  ['a log that says that it goes further', 'UPDATE event_log SET last_seq = 6', [LOG]],
  [
    'an endpoint that hears nothing',
    `DELETE FROM webhook_subscription WHERE endpoint_id = ${idOf('all')}`,
    [LISTENING],
  ],
  [
    'an endpoint that hears something else',
    `UPDATE webhook_endpoint SET event_types = '{task.*}' WHERE url = 'orders'`,
    [LISTENING],
  ],
  [
    'a disabled endpoint that goes on hearing',
    `UPDATE webhook_subscription SET until_seq = NULL WHERE endpoint_id = ${idOf('off')}`,
    [LISTENING, REACHED],
  ],
  [
    'an event that one of two was not told',
    `DELETE FROM ${deliveriesOf('all')} AND event_id = (SELECT id FROM event WHERE seq = 3)`,
    [REACHED],
  ],
  [
    'an event of a resource that an endpoint listens to, and was not told',
    `DELETE FROM ${deliveriesOf('orders')} AND event_id = (SELECT id FROM event WHERE seq = 4)`,
    [REACHED],
  ],
  [
    'an event that an endpoint was not told before it was disabled',
    `DELETE FROM ${deliveriesOf('off')}`,
    [REACHED],
  ],
  [
    'a test that was never sent',
    `DELETE FROM webhook_delivery WHERE event_id = (SELECT id FROM event WHERE only_endpoint_id IS NOT NULL)`,
    [TESTS],
  ],
  [
    'a test that another endpoint is told',
    `INSERT INTO webhook_delivery (id, account_id, endpoint_id, event_id, sequence, next_attempt_at) SELECT gen_random_uuid(), account_id, ${idOf('all')}, id, 6, now() FROM event WHERE only_endpoint_id IS NOT NULL; UPDATE webhook_endpoint SET last_sequence = 6 WHERE url = 'all'`,
    [PROPER],
  ],
  [
    'an event that goes out before it has a place',
    `INSERT INTO webhook_delivery (id, account_id, endpoint_id, event_id, sequence, next_attempt_at) SELECT gen_random_uuid(), account_id, ${idOf('all')}, id, 6, now() FROM event WHERE seq IS NULL; UPDATE webhook_endpoint SET last_sequence = 6 WHERE url = 'all'`,
    [PROPER],
  ],
  [
    "an event that another's endpoint is told",
    `INSERT INTO account (id) VALUES ('019aa000-0000-7000-8000-000000000000'); UPDATE webhook_delivery SET account_id = '019aa000-0000-7000-8000-000000000000' WHERE sequence = 2`,
    [PROPER],
  ],
  [
    'a success without an attempt, and one whose attempt failed',
    `UPDATE ${TOLD} WHERE sequence < 3; INSERT INTO webhook_attempt (delivery_id, id, at, duration_ms, error) SELECT id, id, now(), 1, 'timed out' FROM webhook_delivery WHERE sequence = 1`,
    [ARRIVED],
  ],
  [
    'two deliveries with one number',
    `UPDATE webhook_delivery SET sequence = 1 WHERE sequence = 2 AND endpoint_id = ${idOf('all')}`,
    [NUMBERS],
  ],
  [
    'a number that is given again',
    `UPDATE webhook_endpoint SET last_sequence = 3 WHERE url = 'all'`,
    [NUMBERS],
  ],
  ['a lost job', `DELETE FROM job WHERE ${jobOf('orders')}`, [OWED]],
  [
    'a job that comes too late',
    `UPDATE job SET run_at = now() + interval '1 minute' WHERE ${jobOf('orders')}`,
    [OWED],
  ],
  [
    'a job that comes after the pause of its endpoint is over',
    `UPDATE webhook_endpoint SET paused_until = now() + interval '1 hour'; UPDATE job SET run_at = now() + interval '2 hours' WHERE ${jobOf('orders')}`,
    [OWED],
  ],
  [
    'a job that waits for what is not the first in its order',
    `UPDATE webhook_delivery SET next_attempt_at = now() + interval '1 hour' WHERE endpoint_id = ${idOf('all')} AND sequence > 1; UPDATE job SET run_at = now() + interval '1 hour' WHERE ${jobOf('all')}`,
    [OWED],
  ],
  [
    'something that is pending at a deleted endpoint, and that nobody will cancel',
    `UPDATE webhook_endpoint SET deleted_at = now() WHERE url = 'off'; DELETE FROM job WHERE ${jobOf('off')}`,
    [OWED],
  ],
  ['a replay that nobody goes on with', `DELETE FROM job WHERE name = 'replay-webhooks'`, [REPLAY]],
])('%s is noticed', async (_, tampering, expected) => {
  await expectNoticed(livedThrough, tampering, expected);
});

test.each<[string, string]>([
  [
    'a job that waits for the end of a pause',
    `UPDATE webhook_endpoint SET paused_until = now() + interval '1 hour'; UPDATE job SET run_at = now() + interval '1 hour' WHERE name = 'deliver-webhooks'`,
  ],
  [
    'a job that waits for the first in its order',
    `UPDATE webhook_delivery SET next_attempt_at = now() + interval '1 hour' WHERE endpoint_id = ${idOf('all')} AND sequence = 1; UPDATE job SET run_at = now() + interval '1 hour' WHERE ${jobOf('all')}`,
  ],
  [
    'a job that failed and waits for its retry, one that is dead, and one that is dispatched',
    `UPDATE job SET attempts = 1, run_at = now() + interval '1 hour' WHERE ${jobOf('all')}; UPDATE job SET state = 'dead' WHERE ${jobOf('orders')}; UPDATE job SET state = 'dispatched' WHERE name = 'replay-webhooks'`,
  ],
  [
    'a job that was put off',
    `UPDATE job SET last_error = 'a key is missing', run_at = now() + interval '1 hour' WHERE ${jobOf('all')}`,
  ],
  [
    'something that is pending at a deleted endpoint, whose job will cancel it',
    `UPDATE webhook_endpoint SET deleted_at = now() WHERE url = 'off'`,
  ],
  ['a disabled endpoint without a job', `DELETE FROM job WHERE ${jobOf('off')}`],
  [
    'an endpoint that was told all',
    `UPDATE ${TOLD}; INSERT INTO webhook_attempt (delivery_id, id, at, duration_ms) SELECT id, id, now(), 1 FROM webhook_delivery; DELETE FROM job WHERE name = 'deliver-webhooks'`,
  ],
  [
    'a log whose beginning was deleted',
    `DELETE FROM webhook_delivery WHERE event_id IN (SELECT id FROM event WHERE seq < 3); DELETE FROM event WHERE seq < 3`,
  ],
  ['a log that was deleted', 'DELETE FROM webhook_delivery; DELETE FROM event'],
])('%s is in order', async (_, tampering) => {
  await expectNoticed(livedThrough, tampering, []);
});
