import type { DueDelivery, LaneEndpoint } from '@gatehouse/db/due-deliveries';
import type { NewAttempt } from '@gatehouse/db/webhook-attempts';
import type { Answer } from './exchange.ts';
import { mayAskForPause, retryAfterMs, retryDelayMs, type Verdict, verdictOn } from './schedule.ts';
import { TIMED_OUT } from './send-error.ts';

export interface Outcome {
  verdict: Verdict;
  /** What is written down of it. */
  attempt: Omit<NewAttempt, 'isNews' | 'opensBreaker'>;
  /** No answer came in time. */
  hasHung: boolean;
}

/** What has come of a request, and when it is tried again. */
export function outcomeOf(
  { id: endpointId, url }: Pick<LaneEndpoint, 'id' | 'url'>,
  { id, attempts }: Pick<DueDelivery, 'id' | 'attempts'>,
  { statusCode, retryAfter, body, error, durationMs }: Answer,
): Outcome {
  const verdict = statusCode === null ? 'failed' : verdictOn(statusCode);
  const delayMs = verdict === 'succeeded' ? null : retryDelayMs(attempts + 1, Math.random());
  const askedMs = verdict === 'succeeded' ? null : retryAfterMs(retryAfter, Date.now());
  return {
    verdict,
    hasHung: error === TIMED_OUT,
    attempt: {
      endpointId,
      url,
      deliveryId: id,
      attemptsBefore: attempts,
      statusCode,
      durationMs,
      error: verdict === 'succeeded' ? null : (error ?? textOf(statusCode)),
      responseBody: body,
      retryInMs: delayMs === null ? null : Math.max(delayMs, askedMs ?? 0),
      pauseMs: mayAskForPause(statusCode) ? askedMs : null,
    },
  };
}

function textOf(statusCode: number | null): string {
  const isRedirect = statusCode !== null && statusCode >= 300 && statusCode < 400;
  return isRedirect ? 'redirects are not followed' : `answered ${statusCode}`;
}
