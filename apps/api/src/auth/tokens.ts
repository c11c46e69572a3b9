import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { isId } from '@gatehouse/domain/id';
import { errors, exportJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';

/** Seconds that an access token is good for. */
export const ACCESS_TOKEN_SECONDS = 900;

const ISSUER = 'gatehouse';
const AUDIENCE = 'gatehouse-api';
/** RFC 9068: an access token says that it is one, so that no other kind of token passes for it. */
const TYPE = 'at+jwt';

/** What a token says. What its bearer may do is not in it: that may change while it is good. */
export interface Claims {
  userId: string;
  sessionId: string;
}

export interface Tokens {
  /** An access token of a session, good for `ACCESS_TOKEN_SECONDS`. */
  issue(claims: Claims): Promise<string>;
  /** What the token says, or null when it is forged, expired, or no access token of ours. */
  verify(token: string): Promise<Claims | null>;
  /** The public keys, RFC 7517. */
  jwks: { keys: JWK[] };
}

interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/**
 * @param keys Ed25519 private keys (PKCS#8 DER in base64), comma separated: the first signs, all verify, so that a
 *   key can be published before it signs and kept after
 * @throws when one of them is not such a key
 */
export async function createTokens(keys: string): Promise<Tokens> {
  const signing = keys.split(',').map(readKey);
  const [current] = signing;
  if (current === undefined) throw new Error('AUTH_SIGNING_KEYS holds no key');
  const byId = new Map(signing.map((key) => [key.kid, key.publicKey]));
  // A signature costs ten times what a look-up does, and a client sends the same token for a quarter of an hour.
  const verified = new LRUCache<string, { claims: Claims; expiresAt: number }>({
    max: 10_000,
  });
  return {
    issue: ({ userId, sessionId }) =>
      new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: 'EdDSA', kid: current.kid, typ: TYPE })
        .setSubject(userId)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(`${ACCESS_TOKEN_SECONDS}s`)
        .sign(current.privateKey),
    async verify(token) {
      const known = verified.get(token);
      if (known !== undefined) return known.expiresAt > Date.now() ? known.claims : null;
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const key = kid === undefined ? undefined : byId.get(kid);
            if (key === undefined) throw new errors.JWKSNoMatchingKey();
            return key;
          },
          {
            algorithms: ['EdDSA'],
            issuer: ISSUER,
            audience: AUDIENCE,
            typ: TYPE,
            requiredClaims: ['sub', 'exp'],
          },
        );
        const { sub, exp, sid } = payload;
        if (!isUuid(sub) || !isUuid(sid) || exp === undefined) return null;
        const claims = { userId: sub, sessionId: sid };
        verified.set(token, { claims, expiresAt: exp * 1000 });
        return claims;
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
    jwks: { keys: await Promise.all(signing.map(publicJwk)) },
  };
}

function isUuid(claim: unknown): claim is string {
  return typeof claim === 'string' && isId(claim);
}

function readKey(base64: string): SigningKey {
  try {
    const privateKey = createPrivateKey({
      key: Buffer.from(base64.trim(), 'base64'),
      format: 'der',
      type: 'pkcs8',
    });
    if (privateKey.asymmetricKeyType !== 'ed25519')
      throw new Error(`it is ${privateKey.asymmetricKeyType}`);
    const publicKey = createPublicKey(privateKey);
    const kid = createHash('sha256')
      .update(publicKey.export({ format: 'der', type: 'spki' }))
      .digest('base64url')
      .slice(0, 16);
    return { kid, privateKey, publicKey };
  } catch (cause) {
    throw new Error(
      'AUTH_SIGNING_KEYS must be Ed25519 private keys, PKCS#8 DER in base64, comma separated',
      { cause },
    );
  }
}

async function publicJwk({ kid, publicKey }: SigningKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' };
}
