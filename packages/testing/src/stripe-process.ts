import { createDemoAccount } from './stripe/demo-account.ts';
import { startFakeStripe } from './stripe/fake-stripe.ts';
import { createPageHandler } from './stripe/page-handler.ts';

/**
 * A fake Stripe to try Gatehouse with, which `npm start` runs unless it is given a key of Stripe. By itself it is
 * `node packages/testing/src/stripe-process.ts`, and the lines that it prints belong into `.env`. At its URL is a page to
 * pay, fail, refund and dispute. It ends with Ctrl-C.
 *
 * `PORT`: any free one when 0 or left out. `API_KEY`: random when left out. `WEBHOOK_URL` and `WEBHOOK_SECRET`: where
 * events go, and what they are signed with; both or neither. `STATE_FILE`: where it keeps what it knows; in memory when
 * left out. `STACK_FILE`: the `stack.json` of the Gatehouse whose demo user makes deposits on the page.
 */
const { PORT = '0', API_KEY, WEBHOOK_URL, WEBHOOK_SECRET, STATE_FILE, STACK_FILE } = process.env;
const port = Number(PORT);
if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`PORT is ${PORT}`);
if (Boolean(WEBHOOK_URL) !== Boolean(WEBHOOK_SECRET)) {
  throw new Error('WEBHOOK_URL and WEBHOOK_SECRET go together');
}

/**
 * Each second at first: it is up before the gateway is, when both are started. Then ever more rarely, for about an hour:
 * whoever tries things out may have the gateway down for a while.
 */
const RETRY_DELAYS_MS = [
  ...Array.from({ length: 15 }, () => 1_000),
  ...[2_000, 5_000, 10_000, 30_000],
  ...Array.from({ length: 60 }, () => 60_000),
];

const demo = STACK_FILE ? createDemoAccount(STACK_FILE) : null;
const { url, apiKey, close } = await startFakeStripe({
  port,
  retryDelaysMs: RETRY_DELAYS_MS,
  page: (fake) => createPageHandler(fake, demo),
  ...(API_KEY && { apiKey: API_KEY }),
  ...(STATE_FILE && { stateFile: STATE_FILE }),
  ...(WEBHOOK_URL && WEBHOOK_SECRET && { endpoint: { url: WEBHOOK_URL, secret: WEBHOOK_SECRET } }),
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => close());
// Whoever starts it as a child has given it its key, which is not for a log.
if (process.send) process.send({ type: 'ready' });
else console.log(`STRIPE_SECRET_KEY=${apiKey}\nSTRIPE_API_URL=${url}`);
