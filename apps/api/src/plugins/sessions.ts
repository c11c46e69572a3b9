import type { Transaction } from '@gatehouse/db/client';
import {
  endSession,
  endSessions,
  findLiveSession,
  type LiveSession,
  rotateRefreshToken,
  startSession,
} from '@gatehouse/db/sessions';
import { afterCommit } from '@gatehouse/db/transaction';
import { hashSecretToken, newSecretToken } from '@gatehouse/domain/secret-token';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { userAgentOf } from '../auth/actor.ts';
import { believed } from '../auth/believed.ts';
import { isRefreshToken, openSuccessor, sealSuccessor } from '../auth/refresh-tokens.ts';

declare module 'fastify' {
  interface FastifyInstance {
    sessions: Sessions;
  }
}

export interface Opened {
  sessionId: string;
  refreshToken: string;
}

export type Refreshed =
  | { kind: 'refreshed'; session: LiveSession; refreshToken: string }
  | { kind: 'unknown' }
  /** The token was stolen, or its successor was: the session is ended. */
  | { kind: 'reused'; session: LiveSession };

/** Sessions of people: each is a row, and what is ended is gone. */
export interface Sessions {
  /** A live session, with the role that its user has. Half a second old at most. */
  find(id: string): Promise<LiveSession | null>;
  /** Opens a session that refreshes. */
  open(tx: Transaction, request: FastifyRequest, userId: string): Promise<Opened>;
  /** Opens one that does not, and that ends by itself. Returns its id. */
  openFor(
    tx: Transaction,
    request: FastifyRequest,
    userId: string,
    seconds: number,
  ): Promise<string>;
  /** Exchanges a refresh token. Commit also when it was re-used: that is what ends the session. */
  refresh(tx: Transaction, token: string): Promise<Refreshed>;
  /** Ends a session of a user: here at once, in the other gateways within half a second. */
  end(tx: Transaction, userId: string, id: string): Promise<boolean>;
  /** Ends all of a user, save one if it is given. Returns how many. */
  endAll(tx: Transaction, userId: string, exceptId?: string): Promise<number>;
  /** Has a change of users or their roles be true here at once. */
  changed(tx: Transaction): void;
}

export interface SessionsOptions {
  idleSeconds: number;
  lifetimeSeconds: number;
}

/** RFC 9700 leaves it open; a browser's tabs, and a phone that changes networks, are done by then. */
const GRACE_SECONDS = 10;

export default fp<SessionsOptions>(
  async (app, { idleSeconds, lifetimeSeconds }) => {
    const live = believed((id: string) => findLiveSession(app.db, id));
    const forget = (tx: Transaction, ids: readonly string[]) =>
      afterCommit(tx, () => {
        for (const id of ids) live.forget(id);
      });
    const visitor = (request: FastifyRequest, userId: string) => ({
      userId,
      address: request.ip,
      userAgent: userAgentOf(request),
    });

    app.decorate('sessions', {
      find: live.find,
      async open(tx, request, userId) {
        const refreshToken = newSecretToken();
        const sessionId = await startSession(tx, {
          ...visitor(request, userId),
          idleSeconds,
          lifetimeSeconds,
          tokenHash: hashSecretToken(refreshToken),
        });
        return { sessionId, refreshToken };
      },
      openFor: (tx, request, userId, seconds) =>
        startSession(tx, {
          ...visitor(request, userId),
          idleSeconds: seconds,
          lifetimeSeconds: seconds,
          tokenHash: null,
        }),
      async refresh(tx, token) {
        if (!isRefreshToken(token)) return { kind: 'unknown' };
        const next = newSecretToken();
        const rotated = await rotateRefreshToken(tx, {
          hash: hashSecretToken(token),
          successor: { hash: hashSecretToken(next), sealed: sealSuccessor(token, next) },
          idleSeconds,
          graceSeconds: GRACE_SECONDS,
        });
        switch (rotated.kind) {
          case 'unknown':
            return rotated;
          case 'reused':
            forget(tx, [rotated.session.id]);
            return rotated;
          case 'rotated':
            return { kind: 'refreshed', session: rotated.session, refreshToken: next };
          case 'repeated': {
            const refreshToken = openSuccessor(token, rotated.sealed);
            return { kind: 'refreshed', session: rotated.session, refreshToken };
          }
        }
      },
      async end(tx, userId, id) {
        forget(tx, [id]);
        return endSession(tx, userId, id);
      },
      async endAll(tx, userId, exceptId) {
        const ended = await endSessions(tx, userId, exceptId ?? null);
        forget(tx, ended);
        return ended.length;
      },
      changed: (tx) => afterCommit(tx, live.forgetAll),
    });
  },
  { name: 'sessions', dependencies: ['database'] },
);
