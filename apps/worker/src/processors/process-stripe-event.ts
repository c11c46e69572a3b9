import { processStripeEvent } from '@gatehouse/jobs/definitions/process-stripe-event';
import { type ResolveParts, resolveEvent } from '../payments/resolve-event.ts';
import type { ResolvedEvent } from '../payments/settle-events.ts';
import { type JobProcessor, processJob } from '../processor.ts';
import type { SettlementGroup } from '../settlement.ts';

export interface ProcessStripeEventParts extends ResolveParts {
  events: SettlementGroup<ResolvedEvent>;
}

/** Does what an event from Stripe asks for; what it has done before is not done again. */
export function createProcessStripeEvent(parts: ProcessStripeEventParts): JobProcessor {
  return processJob(
    processStripeEvent,
    async ({ stripeEventId }, { requestId, signal, settleTogether }) => {
      const payload = await parts.stored.payload(stripeEventId);
      const resolution = await resolveEvent(parts, payload, signal);
      await settleTogether(parts.events, { ...resolution, stripeEventId, requestId });
    },
  );
}
