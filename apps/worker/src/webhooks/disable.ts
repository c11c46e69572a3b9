import { findOwner } from '@gatehouse/db/accounts';
import type { Database } from '@gatehouse/db/client';
import { transaction } from '@gatehouse/db/transaction';
import type { EndpointHealth } from '@gatehouse/db/webhook-attempts';
import {
  disableJudged,
  HOPELESS_AFTER_MS,
  type WebhookVerdict,
} from '@gatehouse/db/webhook-verdicts';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { composeEmail } from '../mail/compose-email.ts';
import { queueEmails } from '../mail/queue-emails.ts';
import { webhookEndpointDisabled } from '../mail/templates/webhook-endpoint-disabled.ts';
import type { Verdict } from './schedule.ts';

/** Why an endpoint is to be disabled after an attempt; null when it is not. */
export function becauseOf(
  verdict: Verdict,
  health: EndpointHealth | null,
): WebhookVerdict['because'] | null {
  if (verdict === 'gone') return 'gone';
  return health !== null && health.failingForMs > HOPELESS_AFTER_MS ? 'failing' : null;
}

export interface DisableParts {
  db: Database;
  ledger: JobLedger;
}

/**
 * Disables an endpoint that is still what was judged, tells its owner by mail and everyone who listens by an event. Once,
 * however often it is asked.
 */
export function createDisable({ db, ledger }: DisableParts) {
  return (verdict: WebhookVerdict): Promise<void> =>
    transaction(db, async (tx) => {
      const { endpointId, url, because } = verdict;
      const occasion = { at: new Date(), requestId: null };
      const endpoint = await disableJudged(tx, verdict, occasion);
      if (endpoint === null) return;
      const { accountId } = endpoint;
      const { email: recipient } = await findOwner(tx, accountId);
      const data = { endpointId, url, reason: because, disabledAt: occasion.at.toISOString() };
      const email = composeEmail(webhookEndpointDisabled, { accountId, recipient, data });
      await queueEmails(tx, ledger, [{ email, requestId: null }]);
    });
}
