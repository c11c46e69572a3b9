import { createHmac, randomBytes } from 'node:crypto';
import { Webhook as OfficialWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import {
  newWebhookSecret,
  type ReceivedWebhook,
  signWebhook,
  verifyWebhook,
} from '../src/signing.ts';
import { keyOf } from '../src/signing-key.ts';

const VECTOR = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1_614_265_330,
  body: '{"test": 2432232314}',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const SIGNED_AT = VECTOR.timestamp * 1_000;

const now = () => Math.floor(Date.now() / 1000);
const received = (changes: Partial<ReceivedWebhook> = {}): ReceivedWebhook => ({
  id: VECTOR.id,
  timestamp: `${VECTOR.timestamp}`,
  signature: VECTOR.signature,
  body: VECTOR.body,
  ...changes,
});

describe('signing', () => {
  it("signs the specification's example as it is written there, a text as well as its bytes", () => {
    expect(signWebhook(VECTOR, [keyOf(VECTOR.secret)])).toBe(VECTOR.signature);
    const body = Buffer.from(VECTOR.body);
    expect(signWebhook({ ...VECTOR, body }, [keyOf(VECTOR.secret)])).toBe(VECTOR.signature);
  });

  it('signs with each secret, in their order', () => {
    const other = keyOf(newWebhookSecret());
    const alone = signWebhook(VECTOR, [other]);
    expect(alone).not.toBe(VECTOR.signature);
    expect(signWebhook(VECTOR, [other, keyOf(VECTOR.secret)])).toBe(`${alone} ${VECTOR.signature}`);
  });

  it.each([24, 32, 64])('takes a key of %i bytes', (bytes) => {
    const key = randomBytes(bytes);
    const signature = createHmac('sha256', key)
      .update(`${VECTOR.id}.${VECTOR.timestamp}.${VECTOR.body}`)
      .digest('base64');
    expect(signWebhook(VECTOR, [keyOf(`whsec_${key.toString('base64')}`)])).toBe(`v1,${signature}`);
  });

  it.each([
    ['of 23 bytes', `whsec_${randomBytes(23).toString('base64')}`],
    ['of 65 bytes', `whsec_${randomBytes(65).toString('base64')}`],
    ['without its prefix', randomBytes(32).toString('base64')],
    ['with a typing error', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!'],
    ['of nothing', ''],
  ])('throws for a secret %s, and does not show it', (_, secret) => {
    expect(() => keyOf(secret)).toThrow(
      /^a webhook secret is whsec_ and 24 to 64 bytes in base64$/,
    );
  });

  it('keeps no secret, and no key', () => {
    const secret = newWebhookSecret();
    expect(keyOf(secret)).not.toBe(keyOf(secret));
    expect(keyOf(secret).equals(keyOf(secret))).toBe(true);
  });

  it('makes secrets of 32 bytes, each another', () => {
    const secrets = Array.from({ length: 100 }, newWebhookSecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    }
  });
});

describe('verifying', () => {
  const verify = (changes: Partial<ReceivedWebhook>, at = SIGNED_AT, secrets = [VECTOR.secret]) =>
    verifyWebhook(received(changes), secrets, at);

  it.each([
    ['as it is', {}],
    ['as bytes', { body: Buffer.from(VECTOR.body) }],
    ['beside one of another secret', { signature: `v1,${'A'.repeat(43)}= ${VECTOR.signature}` }],
    ['beside versions that are not known', { signature: `v1a,x v2,y ${VECTOR.signature} z` }],
  ])('takes a signature %s', (_, changes) => {
    verify(changes);
  });

  it('takes one of any of its secrets', () => {
    verify({}, SIGNED_AT, [newWebhookSecret(), VECTOR.secret]);
  });

  it('takes what is 300 seconds off, both ways, and no more', () => {
    verify({}, SIGNED_AT + 300_999);
    verify({}, SIGNED_AT - 300_000);
    expect(() => verify({}, SIGNED_AT + 301_000)).toThrow('it is too old');
    expect(() => verify({}, SIGNED_AT - 300_001)).toThrow('it is from the future');
  });

  it.each<[string, Partial<ReceivedWebhook>, RegExp]>([
    ['without an id', { id: undefined }, /no webhook-id/],
    ['with an empty id', { id: '' }, /no webhook-id/],
    ['without a time', { timestamp: undefined }, /no webhook-timestamp/],
    ['with a time that is none', { timestamp: '1614265330.5' }, /no number/],
    ['with a time that never ends', { timestamp: '9'.repeat(400) }, /no number/],
    ['with a time in exponents', { timestamp: '1e9' }, /no number/],
    ['without a signature', { signature: undefined }, /no webhook-signature/],
    ['with versions that nobody knows', { signature: 'v2,abc v1a,abc' }, /version v1/],
    ['with an empty signature', { signature: 'v1,' }, /not of this secret/],
    ['with one that is cut short', { signature: VECTOR.signature.slice(0, 30) }, /not of this/],
    ['with one of 10,000 characters', { signature: `v1,${'A'.repeat(10_000)}` }, /not of this/],
    ['with one that is no base64', { signature: 'v1,ü€\u{1f600}' }, /not of this/],
    ['with another body', { body: `${VECTOR.body} ` }, /not of this secret and this body/],
    ['with another id', { id: `${VECTOR.id}x` }, /not of this/],
    ['with another time', { timestamp: `${VECTOR.timestamp + 1}` }, /not of this/],
  ])('refuses one %s, with a reason', (_, changes, reason) => {
    const attempt = () => verify(changes);
    expect(attempt).toThrow(reason);
    expect(attempt).toThrow(expect.objectContaining({ name: 'WebhookNotVerified' }));
  });

  it('refuses one of another secret', () => {
    expect(() => verify({}, SIGNED_AT, [newWebhookSecret()])).toThrow(/not of this secret/);
    expect(() => verify({}, SIGNED_AT, [])).toThrow(/not of this secret/);
  });
});

describe.each([
  ['standardwebhooks', OfficialWebhook],
  ['svix', SvixWebhook],
])('the library %s', (_, Library) => {
  const body = JSON.stringify({ id: 'event', text: 'ä € 😀 \u2028', number: 1.0 });

  it('verifies what is signed here, also while two secrets are in use', () => {
    const [old, current] = [newWebhookSecret(), newWebhookSecret()];
    const timestamp = now();
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': `${timestamp}`,
      'webhook-signature': signWebhook({ id: 'msg_1', timestamp, body }, [
        keyOf(current),
        keyOf(old),
      ]),
    };
    for (const secret of [old, current]) {
      expect(() => new Library(secret).verify(body, headers)).not.toThrow();
    }
    expect(() => new Library(newWebhookSecret()).verify(body, headers)).toThrow();
    expect(() => new Library(current).verify(`${body} `, headers)).toThrow();
  });

  it('signs what is verified here', () => {
    const secret = newWebhookSecret();
    const timestamp = now();
    const signature = new Library(secret).sign('msg_2', new Date(timestamp * 1_000), body);
    const webhook = { id: 'msg_2', timestamp: `${timestamp}`, signature, body };
    verifyWebhook(webhook, [secret]);
    expect(() => verifyWebhook({ ...webhook, body: `${body} ` }, [secret])).toThrow(/not of this/);
  });
});
