import { isDatabaseUnavailable } from '@gatehouse/db/errors';
import { GroupCommit } from '@gatehouse/db/group-commit';
import type { NewJob } from '@gatehouse/db/jobs';
import { acceptStripeEvents, type StripeEventAcceptance } from '@gatehouse/db/stripe-events';
import { newId } from '@gatehouse/domain/id';
import { processStripeEvent } from '@gatehouse/jobs/definitions/process-stripe-event';
import fp from 'fastify-plugin';
import { createLull } from '../webhooks/lull.ts';
import type { StripeEnvelope } from '../webhooks/stripe-envelope.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Stores an event that Stripe delivered, with its job, in one commit that it shares with the events that arrive
     * meanwhile. False when the event was stored before: nothing is written.
     *
     * Its job goes to BullMQ in the next lull: in a burst the answers that Stripe waits for go before the work.
     *
     * @throws when the database is away; then nobody knows
     */
    acceptStripeEvent(envelope: StripeEnvelope, requestId: string): Promise<boolean>;
  }
}

/** Events are larger than orders, and a statement holds them all. */
const MAX_BATCH = 100;

export default fp(
  async (app) => {
    // What a gateway that dies has held back is found by the sweep, like all that never reached Redis.
    const lull = createLull<NewJob>((jobs) => app.jobs.dispatch(jobs));
    const gate = new GroupCommit<StripeEventAcceptance, boolean>({
      maxBatch: MAX_BATCH,
      isFaultOfOne: (error) => !isDatabaseUnavailable(error),
      commit: async (batch) => {
        const accepted = await acceptStripeEvents(app.db, batch);
        const isNew = batch.map(({ event }) => accepted.has(event.id));
        lull.add(batch.filter((_, index) => isNew[index]).map(({ job }) => job));
        return isNew;
      },
    });
    app.decorate('acceptStripeEvent', (envelope, requestId) => {
      const id = newId();
      const job = app.jobs.plan(processStripeEvent, { stripeEventId: id }, { requestId });
      const event = { id, ...envelope, source: 'webhook' } as const;
      return lull.before(() => gate.add({ event, job }));
    });
    app.addHook('onClose', async () => lull.flush());
  },
  { name: 'stripe-gate', dependencies: ['database', 'jobs'] },
);
