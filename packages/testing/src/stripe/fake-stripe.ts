import { createDeliveries } from './deliveries.ts';
import { createDisputes } from './disputes.ts';
import { createEventLog } from './event-log.ts';
import type { FakeStripe, FakeStripeOptions, PageHandler } from './fake.ts';
import { createFaults } from './faults.ts';
import { startServer } from './http-server.ts';
import { openJournal } from './journal.ts';
import { NO_REQUEST } from './objects.ts';
import { createPaymentIntents } from './payment-intents.ts';
import { createRefunds } from './refunds.ts';
import { createRouter } from './routes.ts';
import { createThinEvents } from './thin-events.ts';
import { newId } from './values.ts';
import { createWebhookSender } from './webhook-sender.ts';

const RETRY_DELAYS_MS = [1_000, 5_000, 30_000];
const DELIVERY_TIMEOUT_MS = 10_000;

/** A Stripe on a port of 127.0.0.1: its API for the official library, its webhooks, and its failures. */
export async function startFakeStripe(options: FakeStripeOptions = {}): Promise<FakeStripe> {
  const apiKey = options.apiKey ?? newId('sk_test');
  let endpoint = options.endpoint ?? null;
  let requests = 0;
  let page: PageHandler | null = null;
  const journal = openJournal(options.stateFile ?? null);

  const deliveries = createDeliveries({
    sender: createWebhookSender(options.deliveryTimeoutMs ?? DELIVERY_TIMEOUT_MS),
    endpoint: () => endpoint,
    onDelivered: (event) => journal.keep('event', event.id, event),
    onDropped: ({ id }) => journal.keep('dropped', id, {}),
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
  });
  const events = createEventLog(journal, () => endpoint !== null, deliveries.accept);
  const thinEvents = createThinEvents();
  const intents = createPaymentIntents(events.emit, journal);
  const refunds = createRefunds(intents, events.emit, journal);
  const disputes = createDisputes(intents, events.emit, journal);
  const faults = createFaults();
  const server = await startServer({
    port: options.port ?? 0,
    apiKey,
    router: createRouter({ intents, refunds, disputes, events, thinEvents }),
    faults,
    journal,
    onRequest: () => {
      requests += 1;
    },
    page: () => page,
  });

  const fake: FakeStripe = {
    url: server.url,
    apiKey,
    sendTo: (next) => {
      endpoint = next;
    },
    endpointUrl: () => endpoint?.url ?? null,
    pay: intents.pay,
    fail: intents.fail,
    cancel: (id) => intents.cancel(id, null, NO_REQUEST),
    refund: (id, amount) => refunds.refund(id, amount ?? null),
    failRefund: refunds.fail,
    dispute: disputes.open,
    closeDispute: disputes.close,
    paymentIntents: intents.all,
    refunds: refunds.all,
    disputes: disputes.all,
    events: events.all,
    plan: deliveries.plan,
    release: deliveries.release,
    deliver: async (id) => deliveries.deliver(events.find(id)),
    deliverThin: async (id) => {
      const thin = thinEvents.of(events.find(id));
      return { ...(await deliveries.deliverThin(thin)), notificationId: thin.id };
    },
    attempts: deliveries.attempts,
    fault: (at, fault, times = 1) => faults.add(at, fault, times),
    heal: faults.clear,
    requests: () => requests,
    close: async () => {
      await Promise.all([server.close(), deliveries.close()]);
    },
  };
  page = options.page?.(fake) ?? null;
  const dropped = journal.read('dropped');
  // What the one before still owed.
  for (const event of events.all()) {
    if (event.pending_webhooks > 0 && !dropped.has(event.id)) deliveries.accept(event);
  }
  return fake;
}
