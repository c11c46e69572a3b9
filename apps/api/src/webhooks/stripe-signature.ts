import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds that the time of a signature may be from ours, in the past and in the future. */
const TOLERANCE_SECONDS = 300;

/** Room for a dozen secrets that roll at once. */
const MAX_LENGTH = 1_024;

/** `name=value`. What Stripe may add has a name that is not known. */
const ELEMENT = /^([A-Za-z0-9_-]{1,32})=([\x21-\x2b\x2d-\x7e]+)$/;
const TIME = /^[1-9][0-9]{0,11}$/;
const DIGEST = /^[0-9A-Fa-f]{64}$/;

export interface SignedRequest {
  /** Each `Stripe-Signature` that the request has. */
  headers: readonly string[];
  /** As it came over the wire. */
  body: Uint8Array;
}

export interface Verification {
  /** Any of them may have signed; each is used as it is, with its `whsec_`. */
  secrets: readonly string[];
  /** Unix time in milliseconds. */
  now: number;
}

/**
 * Why a request is not from Stripe; null when it is signed by it, about now.
 *
 * Stricter than Stripe's library, which takes any time in the future, decodes the body before it looks at it, and
 * throws what nobody expects when a digest is not hexadecimal.
 */
export function refusalOfSignature(
  { headers, body }: SignedRequest,
  { secrets, now }: Verification,
): string | null {
  const signature = readSignature(headers, now);
  if (typeof signature === 'string') return signature;
  const isSigned = secrets.some((secret) => {
    const expected = createHmac('sha256', secret)
      .update(`${signature.time}.`)
      .update(body)
      .digest();
    return signature.digests.some((digest) => timingSafeEqual(digest, expected));
  });
  return isSigned ? null : 'No signature is of this body and a secret that is known here';
}

/** Why the headers alone say that a request is not from Stripe; null when that is up to its body. */
export function refusalOfHeaders(headers: readonly string[], now: number): string | null {
  const signature = readSignature(headers, now);
  return typeof signature === 'string' ? signature : null;
}

/** What the headers say that was signed about now; or why that is nothing. */
function readSignature(headers: readonly string[], now: number): Signature | string {
  const [header, ...others] = headers;
  if (header === undefined) return 'The header Stripe-Signature is missing';
  if (others.length > 0) return 'The header Stripe-Signature is there twice';
  const signature = parse(header);
  if (signature === null) return 'The header Stripe-Signature is malformed';
  const age = Math.floor(now / 1_000) - Number(signature.time);
  return Math.abs(age) > TOLERANCE_SECONDS
    ? `The signature is not of the last or next ${TOLERANCE_SECONDS} seconds`
    : signature;
}

interface Signature {
  /** As it is in the header, since that is what was signed. */
  time: string;
  /** Each of 32 bytes. */
  digests: Buffer[];
}

/** The time and the signatures of scheme v1; those of other schemes decide nothing. Null when it is malformed. */
function parse(header: string): Signature | null {
  if (header.length > MAX_LENGTH) return null;
  const times: string[] = [];
  const digests: Buffer[] = [];
  for (const element of header.split(',')) {
    const [, name, value = ''] = ELEMENT.exec(element) ?? [];
    if (name === undefined) return null;
    if (name === 't') {
      if (!TIME.test(value)) return null;
      times.push(value);
    }
    if (name === 'v1') {
      if (!DIGEST.test(value)) return null;
      digests.push(Buffer.from(value, 'hex'));
    }
  }
  const [time, ...otherTimes] = times;
  if (time === undefined || otherTimes.length > 0 || digests.length === 0) return null;
  return { time, digests };
}
