import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '@gatehouse/db/client';
import type { Listener } from './listener.ts';
import type { PaymentFact, StripeHand } from './stripe-hand.ts';

/** What there is when all is quiet: the other side of the evidence. */
export interface Facts {
  orders: OrderFact[];
  fills: { orderId: string; executionId: string; quantity: string }[];
  tasks: TaskFact[];
  deposits: DepositFact[];
  /** What Stripe knows. */
  payments: PaymentFact[];
  emails: EmailFact[];
  /** The log, in its order. */
  events: EventFact[];
  listeners: readonly Listener[];
  /** Jobs that are still owed, dead ones with their error. */
  jobs: { name: string; subjectId: string; state: string; lastError: string | null }[];
  /** How often each mail has reached the mail server, by its id. */
  received: ReadonlyMap<string, number>;
}

export interface OrderFact {
  id: string;
  accountId: string;
  clientOrderId: string | null;
  symbol: string;
  side: string;
  type: string;
  /** With six decimals. */
  quantity: string;
  status: string;
  rejectCode: string | null;
}

export interface TaskFact {
  id: string;
  accountId: string;
  title: string;
  dueAt: Date | null;
  /** By the database's clock, as when it was due. */
  remindedAt: Date | null;
}

export interface DepositFact {
  id: string;
  accountId: string;
  /** In minor units, as what was posted. */
  amount: number;
  status: string;
  refunded: number;
  /** What the ledger says it has brought. */
  posted: number;
}

export interface EventFact {
  id: string;
  accountId: string;
  type: string;
  /** The order, task or deposit that it is about. */
  subjectId: string;
}

export interface EmailFact {
  id: string;
  template: string;
  status: string;
  /** The order, task or deposit that it is about. */
  subjectId: string | null;
}

const QUANTITY_DECIMALS = 6;

/** Reads the facts about these accounts. */
export async function readFacts(
  db: Database,
  accountIds: readonly string[],
  {
    mailDir,
    stripe,
    listeners,
  }: { mailDir: string; stripe: StripeHand; listeners: readonly Listener[] },
): Promise<Facts> {
  const where = { accountId: { in: [...accountIds] } };
  const [orders, fills, tasks, emails, jobs] = [
    await db.order.findMany({ where }),
    await db.fill.findMany({ where }),
    await db.task.findMany({ where }),
    await db.email.findMany({ where }),
    await db.job.findMany(),
  ];
  return {
    orders: orders.map((order) => ({
      ...order,
      quantity: order.quantity.toFixed(QUANTITY_DECIMALS),
    })),
    fills: fills.map((fill) => ({ ...fill, quantity: fill.quantity.toFixed(QUANTITY_DECIMALS) })),
    tasks,
    deposits: await readDeposits(db, accountIds),
    payments: await stripe.payments(),
    emails: emails.map((email) => ({ ...email, subjectId: subjectOf(email.data) })),
    jobs,
    events: await readEvents(db, accountIds),
    listeners,
    received: await readInbox(mailDir),
  };
}

/** What the endpoints listen to: all events save those about endpoints and accounts. */
async function readEvents(db: Database, accountIds: readonly string[]): Promise<EventFact[]> {
  const events = await db.event.findMany({
    where: {
      accountId: { in: [...accountIds] },
      OR: ['order.', 'task.', 'deposit.'].map((startsWith) => ({ type: { startsWith } })),
    },
    orderBy: { seq: 'asc' },
  });
  return events.map(({ id, accountId, type, data }) => ({
    id,
    accountId,
    type,
    subjectId: (data as { id: string }).id,
  }));
}

async function readDeposits(db: Database, accountIds: readonly string[]): Promise<DepositFact[]> {
  const where = { accountId: { in: [...accountIds] } };
  const deposits = await db.deposit.findMany({ where, include: { movements: true } });
  const entries = await db.ledgerEntry.findMany({
    where: { ...where, ledger: 'equity' },
    include: { transaction: { select: { referenceId: true } } },
  });
  const byReference = Map.groupBy(entries, ({ transaction }) => transaction.referenceId);
  // Equity is credited: what comes in is negative.
  const posted = (movementId: string) =>
    (byReference.get(movementId) ?? []).reduce((sum, { amount }) => sum - cents(amount), 0);
  return deposits.map(({ id, accountId, amount, status, refundedAmount, movements }) => ({
    id,
    accountId,
    amount,
    status,
    refunded: refundedAmount,
    posted: movements.reduce((sum, movement) => sum + posted(movement.id), 0),
  }));
}

const cents = (amount: { toFixed(digits: number): string }): number =>
  Number(amount.toFixed(2).replace('.', ''));

function subjectOf(data: unknown): string | null {
  if (typeof data !== 'object' || data === null) return null;
  const { orderId = null, taskId = null, depositId = null } = data as Record<string, unknown>;
  const subject = orderId ?? taskId ?? depositId;
  return typeof subject === 'string' ? subject : null;
}

/** MailDev stores what it is being sent, also when its sender dies in the middle. A multipart mail ends as it must. */
function isWhole(mail: string): boolean {
  return mail.trimEnd().endsWith('--');
}

/** Counts what the mail server has stored, a file a message, by the `Message-ID`. */
async function readInbox(dir: string): Promise<Map<string, number>> {
  const received = new Map<string, number>();
  const names = await readdir(dir);
  for (const name of names.filter((one) => one.endsWith('.eml'))) {
    const text = await readFile(join(dir, name), 'utf8');
    if (!isWhole(text)) continue;
    const id = /^message-id:\s*<([^@>]+)@/im.exec(text)?.[1] ?? `without an id: ${name}`;
    received.set(id, (received.get(id) ?? 0) + 1);
  }
  return received;
}
