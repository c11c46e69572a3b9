import type { Database } from '@gatehouse/db/client';
import { type DueDelivery, type LaneEndpoint, readLane } from '@gatehouse/db/due-deliveries';
import type { NewAttempt } from '@gatehouse/db/webhook-attempts';
import type { WebhookVerdict } from '@gatehouse/db/webhook-verdicts';
import type { SecretBox } from '@gatehouse/domain/secret-box';
import { signWebhook } from '@gatehouse/webhooks/signing';
import { NotYet } from '../not-yet.ts';
import type { JobContext } from '../processor.ts';
import { Ahead, aheadOf } from './ahead.ts';
import { Alarm } from './alarm.ts';
import { webhookBody } from './body.ts';
import { becauseOf } from './disable.ts';
import type { Answer, Exchange } from './exchange.ts';
import { outcomeOf } from './outcome.ts';
import { Pace } from './pace.ts';
import type { Recorder } from './recorder.ts';
import { isOverloaded, type Verdict } from './schedule.ts';
import type { Sender } from './sender.ts';
import { Streak } from './streak.ts';
import { type Target, targetOf } from './target.ts';

/** Milliseconds after which a run takes nothing more, so that other endpoints have their turn. */
const TAKE_FOR_MS = 30_000;

/** Attempts of a run that may wait to be written down, before no more are made. */
const MOST_UNRECORDED = { inOrder: 20, otherwise: 500 } as const;

/** Milliseconds between two looks whether the process has room again. */
const FULL_MS = 25;

/** How long an endpoint is left alone when no connection was to be had for it. */
const WITHOUT_CONNECTION_MS = 1_000;

/** Milliseconds for which what is known of the endpoint holds: then it may be disabled, or have another URL. */
const FRESH_MS = 400;

export interface LaneParts {
  db: Database;
  sender: Sender;
  recorder: Recorder;
  secretBox: SecretBox;
  /** Fires when the worker begins to shut down: then a run takes nothing more. */
  closing: AbortSignal;
  disable: (verdict: WebhookVerdict) => Promise<void>;
}

/**
 * How a run ends: it is to be settled; it is not, as another is owed in its place; or it is, and its endpoint was disabled
 * or deleted.
 */
export type LaneEnd = 'done' | 'superseded' | 'absent';

/** One run: sends an endpoint what is due, until nothing is, or its time is up. */
export class Lane {
  readonly #parts: LaneParts;
  readonly #endpointId: string;
  readonly #context: JobContext;
  readonly #startedAt = performance.now();
  readonly #over = Promise.withResolvers<void>();
  readonly #exchanges = new Set<Exchange>();
  readonly #ahead: Ahead;
  readonly #streak = new Streak();
  readonly #alarm = new Alarm(() => this.#advance());
  #endpoint: LaneEndpoint | null = null;
  #target: Target | null = null;
  #pace: Pace | null = null;
  #underWay = 0;
  #unrecorded = 0;
  #isFetching = false;
  #freshUntil = 0;
  #hasStopped = false;
  #end: LaneEnd = 'done';
  #failure: { error: unknown } | null = null;

  constructor(parts: LaneParts, endpointId: string, context: JobContext) {
    this.#parts = parts;
    this.#endpointId = endpointId;
    this.#context = context;
    this.#ahead = new Ahead(parts.db, endpointId);
  }

  async run(): Promise<LaneEnd> {
    const { signal } = this.#context;
    const cut = () => this.#cut();
    signal.addEventListener('abort', cut);
    if (signal.aborted) cut();
    this.#advance();
    try {
      await this.#over.promise;
    } finally {
      signal.removeEventListener('abort', cut);
      this.#alarm.clear();
    }
    signal.throwIfAborted();
    if (this.#failure !== null) throw this.#failure.error;
    return this.#end;
  }

  /** Does what can be done now. Called whenever anything has changed. */
  #advance(): void {
    const now = performance.now();
    const isLate = now - this.#startedAt > TAKE_FOR_MS;
    if (isLate || this.#parts.closing.aborted) this.#stop();
    if (!this.#hasStopped) {
      this.#sendAll(now);
      if (!this.#isFetching && this.#wantsFetch(now)) void this.#fetch();
      // That may end in another lane, of which this one hears nothing.
      if (this.#isProcessFull()) this.#alarm.setIn(FULL_MS);
    }
    if (this.#isFetching || this.#underWay > 0 || this.#unrecorded > 0) return;
    const waitMs = this.#pace?.waitMs(now) ?? 0;
    const isDone = this.#hasStopped || this.#ahead.isQuiet(now);
    // The next run knows nothing of the rate of this one.
    if (isDone && waitMs === 0) this.#over.resolve();
    else if (waitMs > 0) this.#alarm.setIn(waitMs);
  }

  #sendAll(now: number): void {
    const endpoint = this.#endpoint;
    const target = this.#target;
    const pace = this.#pace;
    if (endpoint === null || target === null || pace === null) return;
    while (this.#ahead.count > 0 && now < this.#freshUntil && this.#hasPlace(endpoint, pace)) {
      const waitMs = pace.waitMs(now);
      if (waitMs > 0) {
        this.#alarm.setIn(waitMs);
        return;
      }
      const delivery = this.#ahead.shift();
      if (delivery === undefined) return;
      pace.sent(now);
      try {
        this.#send(endpoint, target, delivery);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #hasPlace({ ordered }: LaneEndpoint, { concurrency }: Pace): boolean {
    if (this.#isProcessFull()) return false;
    // Whoever takes over from this run sends again what is not written down, beginning with the first: at an ordered endpoint
    // too none is heard for the first time before the one ahead of it was.
    const [places, unrecorded] = ordered
      ? [1, MOST_UNRECORDED.inOrder]
      : [concurrency, MOST_UNRECORDED.otherwise];
    return this.#underWay < places && this.#unrecorded < unrecorded;
  }

  #isProcessFull(): boolean {
    return this.#parts.recorder.isFull || this.#parts.sender.isFull;
  }

  #wantsFetch(now: number): boolean {
    const endpoint = this.#endpoint;
    const pace = this.#pace;
    if (endpoint === null || pace === null) return true;
    const { count, hasMore } = this.#ahead;
    const hasPlace = this.#hasPlace(endpoint, pace);
    if (count > 0 && now >= this.#freshUntil) return hasPlace;
    if (count > aheadOf(endpoint, pace.concurrency) / 2) return false;
    if (hasMore) return true;
    if (this.#underWay === 0 && this.#unrecorded === 0 && this.#ahead.isQuiet(now)) return false;
    // Whatever it found could not be sent: a receiver that hangs costs no looks.
    if (!hasPlace) return false;
    const waitMs = this.#ahead.lookAgainInMs(now);
    if (waitMs > 0) this.#alarm.setIn(waitMs);
    return waitMs <= 0;
  }

  /** Looks at the endpoint, and takes what is due. */
  async #fetch(): Promise<void> {
    this.#isFetching = true;
    try {
      await this.#look();
    } catch (error) {
      this.#fail(error);
    }
    this.#isFetching = false;
    this.#advance();
  }

  async #look(): Promise<void> {
    const { db, secretBox } = this.#parts;
    const known = this.#endpoint ?? (await readLane(db, this.#endpointId));
    const [isMine, endpoint, due] = await Promise.all([
      this.#context.isOwed(),
      this.#endpoint === null ? known : readLane(db, this.#endpointId),
      known === null || known.pausedForMs > 0
        ? []
        : this.#ahead.look(aheadOf(known, this.#pace?.concurrency ?? 1), known.ordered),
    ]);
    if (!isMine) this.#end = 'superseded';
    else if (endpoint === null) this.#end = 'absent';
    if (!isMine || endpoint === null || endpoint.pausedForMs > 0) {
      this.#stop();
      return;
    }
    // What was taken has another order, and what was learnt is of another receiver: the next run begins with what holds now.
    if (endpoint.ordered !== known?.ordered || endpoint.url !== known.url) this.#stop();
    if (this.#hasStopped) return;
    this.#ahead.keep(due);
    // Who is owed nothing needs no key.
    if (this.#ahead.count > 0) this.#target = targetOf(endpoint, secretBox);
    if (this.#pace === null) this.#pace = new Pace(endpoint);
    this.#pace.limits = endpoint;
    if (this.#endpoint === null) this.#streak.begin(endpoint.failures);
    else this.#streak.written(endpoint.failures);
    this.#endpoint = endpoint;
    this.#freshUntil = performance.now() + FRESH_MS;
  }

  #send(endpoint: LaneEndpoint, { origin, path, keys }: Target, delivery: DueDelivery): void {
    const body = webhookBody(delivery, endpoint.ordered);
    const timestamp = Math.floor(Date.now() / 1_000);
    const signature = signWebhook({ id: delivery.eventId, timestamp, body }, keys);
    const request = { origin, path, id: delivery.eventId, timestamp, signature, body };
    this.#underWay += 1;
    void this.#parts.sender.send(request, this.#exchanges).then((answer) => {
      this.#underWay -= 1;
      if (answer === null) this.#fail(withoutConnection(this.#endpointId));
      else this.#heard(endpoint, delivery, answer);
      this.#advance();
    });
  }

  #heard(endpoint: LaneEndpoint, delivery: DueDelivery, answer: Answer): void {
    const { verdict, attempt, hasHung } = outcomeOf(endpoint, delivery, answer);
    const { durationMs, statusCode } = answer;
    const now = performance.now();
    const { opensBreaker, isNews, isOpen } = this.#streak.heard(verdict, {
      hasHung,
      durationMs,
      now,
    });
    if (verdict === 'succeeded') this.#pace?.succeeded();
    else {
      if (isOverloaded(statusCode)) this.#pace?.overloaded();
      const isHeadToRetry = endpoint.ordered && attempt.retryInMs !== null;
      const isPaused = attempt.pauseMs !== null || isOpen;
      if (isPaused || isHeadToRetry || verdict === 'gone') this.#stop();
    }
    void this.#record(verdict, { ...attempt, opensBreaker, isNews });
  }

  async #record(verdict: Verdict, attempt: NewAttempt): Promise<void> {
    this.#unrecorded += 1;
    try {
      const health = await this.#parts.recorder.record(attempt);
      this.#ahead.release(attempt.deliveryId);
      const because = becauseOf(verdict, health);
      if (because !== null) {
        this.#stop();
        const { endpointId, url } = attempt;
        await this.#parts.disable({ endpointId, url, because });
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#unrecorded -= 1;
    this.#advance();
  }

  /** Takes nothing more; what is under way goes on. */
  #stop(): void {
    this.#hasStopped = true;
    this.#ahead.drop();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop();
  }

  /** The worker can wait no longer: what has no answer yet is sent again. */
  #cut(): void {
    this.#stop();
    for (const exchange of [...this.#exchanges]) exchange.cut();
    this.#advance();
  }
}

/** Nobody has failed who would do better for it: neither the receiver, nor the job. */
function withoutConnection(endpointId: string): NotYet {
  const message = `no connection was to be had for endpoint ${endpointId}`;
  return new NotYet(message, WITHOUT_CONNECTION_MS, { patienceMs: Number.POSITIVE_INFINITY });
}
