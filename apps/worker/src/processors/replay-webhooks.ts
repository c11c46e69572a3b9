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
/** Until the next run, at an endpoint that takes its time, and at one that is disabled. */
const FULL_DELAY_MS = 2_000;
const DISABLED_DELAY_MS = 60_000;

export interface ReplayWebhooksParts {
  db: Database;
  ledger: JobLedger;
  /** Fires when the worker is to end: the next one goes on. */
  closing: AbortSignal;
}

type Outcome = 'stepped' | Extract<OpenedStep, { none: unknown }>['none'];

/**
 * Schedules the events of a replay, as its endpoint takes them. Each step is a transaction with its progress: a run that
 * dies in between is gone on with where it was, and of two at once each takes steps of its own.
 */
export function createReplayWebhooks({ db, ledger, closing }: ReplayWebhooksParts): JobProcessor {
  return processJob(replayWebhooks, async ({ replayId }, { requestId, settle, signal }) => {
    const step = () => takeStep({ db, ledger }, replayId, requestId);
    const outcome = await takeSteps(step, AbortSignal.any([signal, closing]));
    await settle(async (tx) => {
      if (outcome === 'over') return;
      const delayMs = DELAYS[outcome];
      await ledger.enqueue(tx, replayWebhooks, { replayId }, { requestId, delayMs });
    });
  });
}

const DELAYS: Readonly<Record<Exclude<Outcome, 'over'>, number>> = {
  stepped: 0,
  full: FULL_DELAY_MS,
  disabled: DISABLED_DELAY_MS,
};

async function takeSteps(step: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const startedAt = performance.now();
  let steppedAt = Number.NEGATIVE_INFINITY;
  let outcome: Outcome = 'stepped';
  while (!signal.aborted && performance.now() - startedAt < RUN_MS) {
    outcome = await step();
    if (outcome === 'stepped') steppedAt = performance.now();
    else if (outcome !== 'full' || performance.now() - steppedAt > PATIENCE_MS) break;
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
    if ('none' in opened) return opened.none;
    const { endpointId, runAt, first, again } = opened.step;
    if (first.length + again.length > 0) {
      const when = { requestId, ...(runAt && { runAt }) };
      await ledger.enqueue(tx, deliverWebhooks, { endpointId }, when);
    }
    await takeReplayStep(tx, opened.step);
    return opened.step.isLast ? 'over' : 'stepped';
  });
}
