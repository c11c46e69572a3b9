import { testDatabase } from '@gatehouse/testing/database';
import { createTestAccount } from '@gatehouse/testing/fixtures';
import { createTestEndpoint } from '@gatehouse/testing/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import { transaction } from '../src/transaction.ts';
import { disableJudged, type WebhookVerdict } from '../src/webhook-verdicts.ts';

const DAY_MS = 86_400_000;

test.each(['disabled', 'deleted'])('who is %s already is not disabled again', async (state) => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const id = await createTestEndpoint(db, accountId);
  const at = new Date();
  const { url } = await db.webhookEndpoint.update({
    where: { id },
    data: state === 'deleted' ? { deletedAt: at } : { disabledReason: 'owner', disabledAt: at },
  });
  const verdict: WebhookVerdict = { endpointId: id, url, because: 'gone' };
  const again = await transaction(db, (tx) => disableJudged(tx, verdict, { at, requestId: null }));
  expect(again).toBeNull();
  expect(await db.event.count()).toBe(0);
});

test.each([
  ['gone', 'the URL that was called', 0, true],
  ['gone', 'another URL since', 0, false],
  ['failing', 'the URL that was called, and failed for six days', 6, true],
  ['failing', 'another URL since, and failed for six days', 6, false],
  ['failing', 'failed for four days, since it was given a clean slate', 4, false],
  ['failing', 'not failed since it was given a clean slate', 0, false],
] as const)('who is judged as %s, and has %s', async (because, has, days, isDisabled) => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const { accountId } = await createTestAccount(db);
  const endpointId = await createTestEndpoint(db, accountId);
  const failing = { failures: 9, failingSince: new Date(Date.now() - days * DAY_MS) };
  const { url } = await db.webhookEndpoint.update({
    where: { id: endpointId },
    data: days === 0 ? {} : failing,
  });
  const called = has.startsWith('another') ? `${url}/before` : url;
  const verdict: WebhookVerdict = { endpointId, url: called, because };
  const occasion = { at: new Date(), requestId: null };
  const disabled = await transaction(db, (tx) => disableJudged(tx, verdict, occasion));
  expect(disabled !== null).toBe(isDisabled);
  const { disabledReason } = await db.webhookEndpoint.findUniqueOrThrow({
    where: { id: endpointId },
  });
  expect(disabledReason).toBe(isDisabled ? because : null);
  expect(await db.event.count()).toBe(isDisabled ? 1 : 0);
});
