import { newId } from '@gatehouse/domain/id';
import type { Queryable } from './client.ts';
import type { AuditEntry, Prisma } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { AuditEntry } from './generated/client.ts';

/** What is written down. Permanent: entries outlive the versions that wrote them. */
export const AUDIT_ACTIONS = [
  'auth.registered',
  'auth.logged_in',
  'auth.login_failed',
  'auth.logged_out',
  'auth.refresh_reused',
  'session.revoked',
  'password.reset_requested',
  'password.reset',
  'password.changed',
  'password.change_failed',
  'api_key.created',
  'api_key.rotated',
  'api_key.revoked',
  'user.created',
  'user.updated',
  'user.role_changed',
  'user.deactivated',
  'user.reactivated',
  'user.deleted',
  'job.redriven',
  'job.canceled',
  'jobs.redriven',
  'queue.paused',
  'queue.resumed',
  'board.acted',
  'stripe_event.replayed',
  'email_suppression.deleted',
  'webhook_endpoint.created',
  'webhook_endpoint.updated',
  'webhook_endpoint.secret_rotated',
  'webhook_endpoint.deleted',
  'webhook_replay.begun',
  'webhook_replay.canceled',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who acted, and from where. */
export type Actor = Pick<
  AuditEntry,
  'actorId' | 'credential' | 'credentialId' | 'address' | 'userAgent' | 'requestId'
>;

export interface Act {
  action: AuditAction;
  subjectType:
    | 'user'
    | 'session'
    | 'api_key'
    | 'job'
    | 'queue'
    | 'stripe_event'
    | 'email_suppression'
    | 'webhook_endpoint'
    | 'webhook_replay';
  subjectId: string | null;
  /** What else tells what was done. Never a secret. */
  details?: Record<string, string | number | boolean | null>;
}

/** Writes down what somebody did: in the transaction that does it, so that neither is without the other. */
export async function recordAct(
  db: Queryable,
  actor: Actor,
  { details = {}, ...act }: Act,
): Promise<void> {
  await db.auditEntry.create({ data: { id: newId(), ...actor, ...act, details } });
}

export interface AuditFilter {
  action?: AuditAction | undefined;
  actorId?: string | undefined;
  subjectId?: string | undefined;
  /** Inclusive. */
  since?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
}

/** The audit log, newest first. */
export async function listAudit(
  db: Queryable,
  { action, actorId, subjectId, since, until }: AuditFilter,
  request: PageRequest,
): Promise<Page<AuditEntry>> {
  const { where, ...page } = pageArguments(request);
  const filter: Prisma.AuditEntryWhereInput = {
    ...where,
    ...(action && { action }),
    ...(actorId && { actorId }),
    ...(subjectId && { subjectId }),
    at: { ...(since && { gte: since }), ...(until && { lt: until }) },
  };
  return toPage(await db.auditEntry.findMany({ ...page, where: filter }), request);
}
