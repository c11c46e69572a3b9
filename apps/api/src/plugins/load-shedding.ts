import underPressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { Overloaded } from '../errors.ts';

export interface LoadSheddingOptions {
  /** Milliseconds by which the event loop may be late, on average over a sample; 0 is no bound. */
  maxEventLoopDelayMs: number;
  /** Requests that may be in the making at once; 0 is no bound. */
  maxRequestsInFlight: number;
}

/**
 * Times the bound: the library takes a sample in which it could measure nothing for one of endless delay, and that must
 * not come of a delay within the bound.
 */
const SAMPLE_LENGTH = 2;

/** Milliseconds after which work counts as over that nobody waits for: longer than any of it takes. */
const ABANDONED_MS = 60_000;

/**
 * What asks how the gateway is, and has to learn it above all when there is much to do; and Stripe, which counts an
 * endpoint that turns it away as failing. Its events share their commits and cost little.
 */
const NEVER_SHED = new Set(['/health', '/ready', '/webhooks/stripe']);

/**
 * Turns requests away with 503 while there is more to do than can be done: those that are taken get their answers in
 * time, and the others may come again, here or elsewhere. Decided before anything else is done for a request, and
 * never after: nothing of one that is turned away has happened.
 */
export default fp<LoadSheddingOptions>(
  async (app, { maxEventLoopDelayMs, maxRequestsInFlight }) => {
    const turnAway = createTurnAway(app);
    if (maxEventLoopDelayMs > 0) {
      await app.register(underPressure, {
        maxEventLoopDelay: maxEventLoopDelayMs,
        sampleInterval: SAMPLE_LENGTH * maxEventLoopDelayMs,
        pressureHandler: turnAway,
      });
    }
    if (maxRequestsInFlight > 0) boundRequestsInFlight(app, maxRequestsInFlight, turnAway);
  },
  { name: 'load-shedding' },
);

/** @throws {Overloaded} unless it is never shed */
type TurnAway = (request: FastifyRequest) => void;

/** Tells the log how many are turned away, and no more of each: there is no time for it. */
function createTurnAway(app: FastifyInstance): TurnAway {
  let turnedAway = 0;
  const timer = setInterval(() => {
    if (turnedAway > 0) app.log.warn({ turnedAway }, 'there is more to do than can be done');
    turnedAway = 0;
  }, 1_000);
  timer.unref();
  app.addHook('onClose', async () => clearInterval(timer));
  return ({ routeOptions }) => {
    if (NEVER_SHED.has(routeOptions.url ?? '')) return;
    turnedAway += 1;
    throw new Overloaded();
  };
}

function boundRequestsInFlight(app: FastifyInstance, max: number, turnAway: TurnAway): void {
  let inFlight = 0;
  /** Of requests whose client has gone while they were in the making. */
  const abandoned = new WeakMap<FastifyRequest, () => void>();

  app.addHook('onRequest', async (request) => {
    if (inFlight >= max) turnAway(request);
  });
  // Counted once its body is there: who only holds connections open is to take nobody's place.
  app.addHook('preValidation', async (request, { raw }) => {
    if (raw.closed || NEVER_SHED.has(request.routeOptions.url ?? '')) return;
    // All those whose bodies are on the way have found room.
    if (inFlight >= max) turnAway(request);
    inFlight += 1;
    raw.once('close', () => {
      if (raw.headersSent) {
        inFlight -= 1;
        return;
      }
      // Clients that lose patience and come again must not pile up work that nobody waits for.
      const { promise: isOver, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ABANDONED_MS).unref();
      abandoned.set(request, resolve);
      void isOver.then(() => {
        clearTimeout(timer);
        inFlight -= 1;
      });
    });
  });
  app.addHook('onSend', async (request) => {
    abandoned.get(request)?.();
  });
}
