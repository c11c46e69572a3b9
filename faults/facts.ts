import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '@gatehouse/db/client';

/** What there is when all is quiet: the other side of the evidence. */
export interface Facts {
  orders: OrderFact[];
  fills: { orderId: string; executionId: string; quantity: string }[];
  tasks: TaskFact[];
  emails: EmailFact[];
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

export interface EmailFact {
  id: string;
  template: string;
  status: string;
  /** The order or task that it is about. */
  subjectId: string | null;
}

const QUANTITY_DECIMALS = 6;

/** Reads the facts about these accounts. */
export async function readFacts(
  db: Database,
  accountIds: readonly string[],
  mailDir: string,
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
    emails: emails.map((email) => ({ ...email, subjectId: subjectOf(email.data) })),
    jobs,
    received: await readInbox(mailDir),
  };
}

function subjectOf(data: unknown): string | null {
  if (typeof data !== 'object' || data === null) return null;
  const { orderId = null, taskId = null } = data as Record<string, unknown>;
  const subject = orderId ?? taskId;
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
