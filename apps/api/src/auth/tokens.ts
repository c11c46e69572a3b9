import { isId } from '@gatehouse/domain/id';
import { errors, type JWK, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { type SigningKey, signerAt, verifiersAt } from './signing-keys.ts';

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
  /** The public keys of now, RFC 7517. */
  jwks(): { keys: JWK[] };
}

interface Verified {
  kid: string;
  claims: Claims;
  expiresAt: number;
}

/** @param keys gives the keys of the moment; their times say what each is for */
export function createTokens(keys: () => readonly SigningKey[]): Tokens {
  const verifier = (kid: string | undefined): SigningKey | undefined =>
    verifiersAt(keys(), Date.now()).find((key) => key.kid === kid);
  // A signature costs ten times what a look-up does, and a client sends the same token for a quarter of an hour.
  const verified = new LRUCache<string, Verified>({ max: 10_000 });
  return {
    async issue({ userId, sessionId }) {
      const signer = signerAt(keys(), Date.now());
      if (signer === undefined) throw new Error('no key signs access tokens at this time');
      return new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: 'EdDSA', kid: signer.kid, typ: TYPE })
        .setSubject(userId)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(`${ACCESS_TOKEN_SECONDS}s`)
        .sign(signer.privateKey);
    },
    async verify(token) {
      const known = verified.get(token);
      if (known !== undefined) {
        // What a key has signed is good for as long as the key is, and no longer.
        const isGood = known.expiresAt > Date.now() && verifier(known.kid) !== undefined;
        return isGood ? known.claims : null;
      }
      try {
        const { payload, protectedHeader } = await jwtVerify(
          token,
          ({ kid }) => {
            const key = verifier(kid);
            if (key === undefined) throw new errors.JWKSNoMatchingKey();
            return key.publicKey;
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
        const { kid } = protectedHeader;
        if (!isUuid(sub) || !isUuid(sid) || exp === undefined || kid === undefined) return null;
        const claims = { userId: sub, sessionId: sid };
        verified.set(token, { kid, claims, expiresAt: exp * 1000 });
        return claims;
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
    jwks: () => ({ keys: verifiersAt(keys(), Date.now()).map(publicJwk) }),
  };
}

function isUuid(claim: unknown): claim is string {
  return typeof claim === 'string' && isId(claim);
}

function publicJwk({ kid, publicKey }: SigningKey): JWK {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' };
}
