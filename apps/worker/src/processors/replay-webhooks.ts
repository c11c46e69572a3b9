import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '@gatehouse/db/client';
import { transaction } from '@gatehouse/db/transaction';
import {
  type OpenedStep,
  openReplayStep,
  takeReplayStep,
} from '@gatehouse/db/webhook-replay-steps';
import { deliverWebhooks } from '@gatehouse/jobs/definitions/deliver-webhooks';
import { replayWebhooks } from '@gatehouse/jobs/definitions/replay-webhooks';
import type { JobLedger } from '@gatehouse/jobs/ledger';
import { type JobProcessor, processJob } from '../processor.ts';

/** A run goes on for so long at most: others want their turn. */
const RUN_MS = 20_000;
/** For so long it waits for room, once it has found some: the endpoint is quick then. */
const PATIENCE_MS = 500;
const PAUSE_MS = 50;
/**
 * Until the next run: at least, at an endpoint that takes its time, and at most, at one that is paused, waits for a retry
 * or is disabled. Nobody wakes the job when it is resumed or enabled.
 */
const DELAY_MS = { min: 2_000, max: 60_000 } as const;

export interface ReplayWebhooksParts {
  db: Database;
  ledger: JobLedger;
  /** Fires when the worker is to end: the next one goes on. */
  closing: AbortSignal;
}

type Outcome = { none: 'stepped' } | Extract<OpenedStep, { none: unknown }>;

/**
 * Schedules the events of a replay, as its endpoint takes them. Each step is a transaction with its progress: a run that
 * dies in between is gone on with where it was, and of two at once each takes steps of its own.
 */
export function createReplayWebhooks({ db, ledger, closing }: ReplayWebhooksParts): JobProcessor {
  return processJob(replayWebhooks, async ({ replayId }, { requestId, settle, signal }) => {
    const step = () => takeStep({ db, ledger }, replayId, requestId);
    const outcome = await takeSteps(step, AbortSignal.any([signal, closing]));
    await settle(async (tx) => {
      const delayMs = delayOf(outcome);
      if (delayMs === null) return;
      await ledger.enqueue(tx, replayWebhooks, { replayId }, { requestId, delayMs });
    });
  });
}

/** Milliseconds until the next run; null when there is to be none. */
function delayOf(outcome: Outcome): number | null {
  switch (outcome.none) {
    case 'over':
      return null;
    case 'stepped':
      return 0;
    case 'full':
      return Math.min(Math.max(outcome.dueInMs, DELAY_MS.min), DELAY_MS.max);
    case 'disabled':
      return DELAY_MS.max;
  }
}

async function takeSteps(step: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const startedAt = performance.now();
  let steppedAt = Number.NEGATIVE_INFINITY;
  let outcome: Outcome = { none: 'stepped' };
  while (!signal.aborted && performance.now() - startedAt < RUN_MS) {
    outcome = await step();
    if (outcome.none === 'stepped') steppedAt = performance.now();
    else if (outcome.none !== 'full' || performance.now() - steppedAt > PATIENCE_MS) break;
    else await pause(PAUSE_MS);
  }
  return outcome;
}

async function takeStep(
  { db, ledger }: Pick<ReplayWebhooksParts, 'db' | 'ledger'>,
  replayId: string,
  requestId: string | null,
): Promise<Outcome> {
  return transaction(db, async (tx) => {
    const opened = await openReplayStep(tx, replayId);
    if ('none' in opened) return opened;
    const { endpointId, runAt, first, again } = opened.step;
    if (first.length + again.length > 0) {
      const when = { requestId, ...(runAt && { runAt }) };
      await ledger.enqueue(tx, deliverWebhooks, { endpointId }, when);
    }
    await takeReplayStep(tx, opened.step);
    return { none: opened.step.isLast ? 'over' : 'stepped' };
  });
}
