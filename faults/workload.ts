import { type Client, pause } from './client.ts';
import { idOf, paymentOf } from './history.ts';
import type { Random } from './random.ts';
import { DELIVERIES, type StripeHand } from './stripe-hand.ts';
import type { Wishes } from './wishes.ts';

const PAUSE_MS = { least: 20, most: 250 } as const;
/** Of what is asked for. */
const DEPOSITS = 0.1;
const REST_MS = { least: 0, most: 1_500 } as const;

/**
 * Has the clients ask for one thing after another until `stop` fires; resolves when each has its last answer, or
 * has given up.
 */
export async function runWorkload(
  clients: readonly Client[],
  wishes: Wishes,
  stripe: StripeHand,
  random: Random,
  stop: AbortSignal,
): Promise<void> {
  await Promise.all(
    clients.map(async (client, index) => {
      const own = random.fork(`client ${index}`);
      while (!stop.aborted) {
        if (own.chance(DEPOSITS)) await payIn(client, wishes, stripe, own);
        else await askForOne(client, wishes, own, stop);
        await pause(own.integer(PAUSE_MS.least, PAUSE_MS.most), stop);
      }
    }),
  );
}

/** Now and then some of it is refunded, and it is all told once, twice, late or never before the end. */
async function payIn(client: Client, wishes: Wishes, stripe: StripeHand, random: Random) {
  const deposit = wishes.deposit();
  const answer = await client.ask(wishes.key(), { kind: 'deposit', deposit });
  const payment = answer === undefined ? null : paymentOf(answer.body);
  if (payment === null) return;
  await stripe.deliverNext(random.pick(DELIVERIES));
  await stripe.pay(payment);
  if (!random.chance(0.4)) return;
  await stripe.deliverNext(random.pick(DELIVERIES));
  await stripe.refund(payment, random.integer(1, deposit.amount));
}

async function askForOne(client: Client, wishes: Wishes, random: Random, stop: AbortSignal) {
  const choice = random.next();
  if (choice < 0.1) {
    await client.ask(wishes.key(), { kind: 'task', task: wishes.task() });
    return;
  }
  const isResting = choice < 0.25;
  const order = isResting ? wishes.restingOrder() : wishes.order();
  const answer = await client.ask(wishes.key(), { kind: 'order', order });
  const orderId = answer === undefined ? null : idOf(answer.body);
  // Now and then one that is filled, or just being filled.
  if (orderId === null || !random.chance(isResting ? 0.8 : 0.05)) return;
  await pause(random.integer(REST_MS.least, REST_MS.most), stop);
  await client.ask(wishes.key(), { kind: 'cancel', orderId });
}
