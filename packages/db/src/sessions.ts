import { newId } from '@gatehouse/domain/id';
import type { Queryable, Transaction } from './client.ts';
import type { Role, Session } from './generated/client.ts';
import { type Page, type PageRequest, pageArguments, toPage } from './page.ts';

export type { Session } from './generated/client.ts';

/** Who a live session stands for. */
export interface LiveSession {
  id: string;
  userId: string;
  accountId: string;
  role: Role;
}

export interface NewSession {
  userId: string;
  address: string;
  userAgent: string | null;
  /** Seconds after which it ends unless it is used. */
  idleSeconds: number;
  /** Seconds after which it ends. */
  lifetimeSeconds: number;
  /** SHA-256 of its first refresh token; null for one that is never refreshed. */
  tokenHash: Uint8Array<ArrayBuffer> | null;
}

/** Starts a session, and returns its id. */
export async function startSession(
  tx: Transaction,
  { userId, address, userAgent, idleSeconds, lifetimeSeconds, tokenHash }: NewSession,
): Promise<string> {
  const id = newId();
  await tx.$executeRaw`
    INSERT INTO session (id, user_id, address, user_agent, expires_at, ends_at)
    VALUES (${id}::uuid, ${userId}::uuid, ${address}, ${userAgent},
      now() + make_interval(secs => ${Math.min(idleSeconds, lifetimeSeconds)}),
      now() + make_interval(secs => ${lifetimeSeconds}))`;
  if (tokenHash !== null) await insertToken(tx, id, tokenHash);
  return id;
}

async function insertToken(
  tx: Transaction,
  sessionId: string,
  hash: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await tx.$executeRaw`INSERT INTO refresh_token (hash, session_id) VALUES (${hash}, ${sessionId}::uuid)`;
}

/** The session, unless it has ended, by itself or by somebody, or its user is deactivated. */
export async function findLiveSession(db: Queryable, id: string): Promise<LiveSession | null> {
  const [session] = await db.$queryRaw<LiveSession[]>`
    SELECT session.id, "user".id AS "userId", "user".account_id AS "accountId", "user".role::text AS role
    FROM session JOIN "user" ON "user".id = session.user_id
    WHERE session.id = ${id}::uuid AND session.expires_at > now() AND "user".deactivated_at IS NULL`;
  return session ?? null;
}

export interface Rotation {
  /** SHA-256 of the token that was presented. */
  hash: Uint8Array<ArrayBuffer>;
  /** Of the one to exchange it for; `sealed` is that token, for whoever presents the old one again. */
  successor: { hash: Uint8Array<ArrayBuffer>; sealed: Uint8Array<ArrayBuffer> };
  idleSeconds: number;
  /** Seconds for which a spent token still gets its successor: two tabs at once, or an answer that was lost. */
  graceSeconds: number;
}

export type Rotated =
  /** There is no such token, or its session has ended. */
  | { kind: 'unknown' }
  /** It is spent now, and the session has its successor. */
  | { kind: 'rotated'; session: LiveSession }
  /** It was spent a moment ago, for this successor. */
  | { kind: 'repeated'; session: LiveSession; sealed: Uint8Array }
  /** It was spent before: who has it, or who had the next, stole it. The session is ended. */
  | { kind: 'reused'; session: LiveSession };

/** Exchanges a refresh token for its successor (RFC 9700, section 4.14.2). */
export async function rotateRefreshToken(
  tx: Transaction,
  { hash, successor, idleSeconds, graceSeconds }: Rotation,
): Promise<Rotated> {
  // The session is locked before its tokens, as when it is ended, and they are read once it is.
  const [locked] = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM session WHERE id = (SELECT session_id FROM refresh_token WHERE hash = ${hash}) FOR UPDATE`;
  const session = locked === undefined ? null : await findLiveSession(tx, locked.id);
  if (session === null) return { kind: 'unknown' };
  const [token] = await tx.$queryRaw<
    { isSpent: boolean; isRecent: boolean; sealed: Uint8Array | null }[]
  >`
    SELECT spent_at IS NOT NULL AS "isSpent", successor AS sealed,
      COALESCE(spent_at > clock_timestamp() - make_interval(secs => ${graceSeconds}), false) AS "isRecent"
    FROM refresh_token WHERE hash = ${hash}`;
  if (token === undefined) return { kind: 'unknown' };
  if (token.isRecent && token.sealed !== null) {
    return { kind: 'repeated', session, sealed: token.sealed };
  }
  if (token.isSpent) {
    await tx.session.delete({ where: { id: session.id } });
    return { kind: 'reused', session };
  }
  await tx.$executeRaw`
    UPDATE refresh_token SET spent_at = clock_timestamp(), successor = ${successor.sealed} WHERE hash = ${hash}`;
  await insertToken(tx, session.id, successor.hash);
  await tx.$executeRaw`
    UPDATE session SET last_used_at = now(),
      expires_at = LEAST(ends_at, now() + make_interval(secs => ${idleSeconds}))
    WHERE id = ${session.id}::uuid`;
  return { kind: 'rotated', session };
}

/** The session that a refresh token belongs to, spent or not, or null. */
export async function findSessionOfToken(
  db: Queryable,
  hash: Uint8Array<ArrayBuffer>,
): Promise<LiveSession | null> {
  const token = await db.refreshToken.findUnique({ where: { hash }, select: { sessionId: true } });
  return token && findLiveSession(db, token.sessionId);
}

/** A user's live sessions. */
export async function listSessions(
  db: Queryable,
  userId: string,
  request: PageRequest,
): Promise<Page<Session>> {
  const { where, ...page } = pageArguments(request);
  return toPage(
    await db.session.findMany({
      ...page,
      where: { ...where, userId, expiresAt: { gt: new Date() } },
    }),
    request,
  );
}

/** Ends one session of a user. False when he has no such session. */
export async function endSession(db: Queryable, userId: string, id: string): Promise<boolean> {
  const { count } = await db.session.deleteMany({ where: { id, userId } });
  return count === 1;
}

/** Ends all sessions of a user, save the one that is given, and returns their ids. */
export async function endSessions(
  db: Queryable,
  userId: string,
  exceptId: string | null,
): Promise<string[]> {
  const ended = await db.$queryRaw<{ id: string }[]>`
    DELETE FROM session WHERE user_id = ${userId}::uuid AND id IS DISTINCT FROM ${exceptId}::uuid RETURNING id`;
  return ended.map(({ id }) => id);
}

/** Deletes what has outlived its time: sessions, and tokens of reset mails. Returns how many. */
export async function deleteExpiredCredentials(db: Queryable, limit: number): Promise<number> {
  const sessions = await db.$executeRaw`
    DELETE FROM session WHERE id = ANY (ARRAY (
      SELECT id FROM session WHERE expires_at <= now() LIMIT ${limit} FOR UPDATE SKIP LOCKED))`;
  const tokens = await db.$executeRaw`
    DELETE FROM password_reset_token WHERE hash = ANY (ARRAY (
      SELECT hash FROM password_reset_token WHERE expires_at <= now() LIMIT ${limit} FOR UPDATE SKIP LOCKED))`;
  return sessions + tokens;
}
