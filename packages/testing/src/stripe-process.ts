import { startFakeStripe } from './stripe/fake-stripe.ts';
import { createPageHandler } from './stripe/page-handler.ts';

/**
 * A fake Stripe to try Gatehouse with: `node packages/testing/src/stripe-process.ts`, and the lines that it prints into
 * `.env`. At its URL is a page to pay, fail, refund and dispute. It keeps everything in memory, and ends with Ctrl-C.
 *
 * `PORT`: any free one when 0 or left out. `API_KEY`: random when left out. `WEBHOOK_URL` and `WEBHOOK_SECRET`: where
 * events go, and what they are signed with; both or neither.
 */
const { PORT = '0', API_KEY, WEBHOOK_URL, WEBHOOK_SECRET } = process.env;
const port = Number(PORT);
if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`PORT is ${PORT}`);
if (Boolean(WEBHOOK_URL) !== Boolean(WEBHOOK_SECRET)) {
  throw new Error('WEBHOOK_URL and WEBHOOK_SECRET go together');
}

const { url, apiKey, close } = await startFakeStripe({
  port,
  page: createPageHandler,
  ...(API_KEY && { apiKey: API_KEY }),
  ...(WEBHOOK_URL && WEBHOOK_SECRET && { endpoint: { url: WEBHOOK_URL, secret: WEBHOOK_SECRET } }),
});
console.log(`STRIPE_SECRET_KEY=${apiKey}
STRIPE_API_URL=${url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => close());
