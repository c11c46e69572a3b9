import type { Database } from '@gatehouse/db/client';
import { insertEmailAttempts, type NewEmailAttempt } from '@gatehouse/db/email-attempts';
import { GroupCommit } from '@gatehouse/db/group-commit';
import { newId } from '@gatehouse/domain/id';
import type { Logger } from 'pino';
import { type Failure, readFailure } from './refusal.ts';
import type { MailTransport, OutgoingEmail } from './transport.ts';
import type { Turn } from './turns.ts';

/** An attempt that is over, for good or bad, and is not written down yet. */
export interface Delivery {
  attempt: NewEmailAttempt;
  /** Whether the address takes no mail at all. */
  isDeadAddress: boolean;
}

export interface DeliveryContext {
  signal: AbortSignal;
  log: Logger;
}

/**
 * Takes a mail to the mail server, and ends its turn. What the server has decided is the caller's to write down; an
 * attempt that decided nothing is written down here, together with those of other mails.
 *
 * @throws what the attempt failed with, when the mail is to be tried again
 */
export type Deliver = (
  email: OutgoingEmail,
  turn: Turn,
  context: DeliveryContext,
) => Promise<Delivery>;

export function createDeliver(db: Database, transport: MailTransport): Deliver {
  const deferred = new GroupCommit<NewEmailAttempt, null>({
    commit: async (attempts) => {
      await insertEmailAttempts(db, attempts);
      return attempts.map(() => null);
    },
    isFaultOfOne: () => false,
    maxBatch: 100,
  });
  return async (email, turn, { signal, log }) => {
    const beganAt = performance.now();
    const attempted = (
      what: Pick<NewEmailAttempt, 'outcome' | 'replyCode' | 'reply'>,
    ): NewEmailAttempt => ({
      ...what,
      id: newId(),
      emailId: email.id,
      durationMs: Math.round(performance.now() - beganAt),
    });
    try {
      const receipt = await transport.send(email, signal);
      turn.end(null);
      return { attempt: attempted({ outcome: 'accepted', ...receipt }), isDeadAddress: false };
    } catch (error) {
      const { outcome, replyCode, reply, trouble, isDeadAddress } = failureOf(error, signal);
      turn.end(trouble);
      const attempt = attempted({ outcome, replyCode, reply });
      if (outcome === 'refused') return { attempt, isDeadAddress };
      await deferred
        .add(attempt)
        .catch((err: unknown) => log.warn({ err }, 'an attempt could not be written down'));
      throw error;
    }
  };
}

/** A run that is over knows nothing of the server, whatever its send failed with. */
function failureOf(error: unknown, signal: AbortSignal): Failure {
  const failure = readFailure(error);
  if (!signal.aborted || failure.outcome === 'refused') return failure;
  return { ...failure, trouble: 'unknown' };
}
