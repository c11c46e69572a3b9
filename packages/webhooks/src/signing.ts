import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { keyOf, SECRET_PREFIX } from './signing-key.ts';

/** How far the clocks of sender and receiver may be apart, both ways. */
const TOLERANCE_SECONDS = 300;
const VERSION = 'v1,';

/** What a signature is over. */
export interface SignedWebhook {
  /** The value of `webhook-id`. */
  id: string;
  /** The value of `webhook-timestamp`: seconds since 1970, whole. */
  timestamp: number;
  /** The bytes that are sent. */
  body: string | Uint8Array;
}

/** What a receiver holds in his hands. */
export interface ReceivedWebhook {
  id: string | undefined;
  timestamp: string | undefined;
  signature: string | undefined;
  /** The bytes as they came, not parsed and written again. */
  body: string | Uint8Array;
}

/** A webhook that is not to be believed. Its message says why, and can be shown. */
export class WebhookNotVerified extends Error {
  override readonly name = 'WebhookNotVerified';
}

/** A new secret, `whsec_` and 32 random bytes in base64. */
export function newWebhookSecret(): string {
  return SECRET_PREFIX + randomBytes(32).toString('base64');
}

/** The value of `webhook-signature`: a signature with the key of each secret (`keyOf`), in their order. */
export function signWebhook(webhook: SignedWebhook, keys: readonly KeyObject[]): string {
  return keys.map((key) => VERSION + digest(webhook, key).toString('base64')).join(' ');
}

/**
 * Checks that a webhook was signed with one of the secrets, within 300 s of `now` (milliseconds).
 *
 * @throws WebhookNotVerified, whatever it is that came; another error when a secret is none
 */
export function verifyWebhook(
  { id, timestamp, signature, body }: ReceivedWebhook,
  secrets: readonly string[],
  now = Date.now(),
): void {
  if (!id) throw new WebhookNotVerified('there is no webhook-id');
  if (!timestamp) throw new WebhookNotVerified('there is no webhook-timestamp');
  if (!signature) throw new WebhookNotVerified('there is no webhook-signature');
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new WebhookNotVerified('its webhook-timestamp is no number of seconds');
  }
  const age = Math.floor(now / 1000) - Number(timestamp);
  if (age > TOLERANCE_SECONDS) throw new WebhookNotVerified('it is too old');
  if (age < -TOLERANCE_SECONDS) throw new WebhookNotVerified('it is from the future');

  const given = signature
    .split(' ')
    .filter((entry) => entry.startsWith(VERSION))
    .map((entry) => Buffer.from(entry.slice(VERSION.length), 'base64'));
  if (given.length === 0) throw new WebhookNotVerified('it has no signature of version v1');
  const right = secrets.map((secret) => digest({ id, timestamp, body }, keyOf(secret)));
  if (!right.some((one) => given.some((other) => isSame(one, other)))) {
    throw new WebhookNotVerified('its signature is not of this secret and this body');
  }
}

function digest(
  { id, timestamp, body }: { id: string; timestamp: number | string; body: string | Uint8Array },
  key: KeyObject,
): Buffer {
  const hmac = createHmac('sha256', key);
  if (typeof body === 'string') hmac.update(`${id}.${timestamp}.${body}`);
  else hmac.update(`${id}.${timestamp}.`).update(body);
  return hmac.digest();
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
