import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { expect, test } from 'vitest';
import { refusalOfSignature } from '../src/webhooks/stripe-signature.ts';
import { malformedSignatures } from './stripe-signatures.ts';

const NOW = 1_795_000_000;
const SECRET = 'whsec_one';
const BODY = Buffer.from('{"id":"evt_1"}');

const digest = (time: number | string, body: Uint8Array = BODY, secret = SECRET) =>
  createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex');
const signed = (time: number | string, body?: Uint8Array, secret?: string) =>
  `t=${time},v1=${digest(time, body, secret)}`;

function refusal(
  headers: string | string[],
  { body = BODY, secrets = [SECRET], now = NOW * 1_000 }: Partial<Verified> = {},
): string | null {
  return refusalOfSignature({ headers: [headers].flat(), body }, { secrets, now });
}
interface Verified {
  body: Uint8Array;
  secrets: string[];
  now: number;
}

test('what the official library signs is taken', () => {
  const stripe = new Stripe('sk_test_none');
  const payload = '{"id":"evt_1","name":"é😀"}';
  const header = stripe.webhooks.generateTestHeaderString({
    payload,
    secret: SECRET,
    timestamp: NOW,
  });
  const body = Buffer.from(payload);
  expect(refusal(header, { body })).toBeNull();
  expect(refusal(header, { body: Buffer.from(payload.replace('é', 'e')) })).toMatch(/No signature/);
});

test.each([
  [-300, true],
  [300, true],
  [-301, false],
  [301, false],
  [-3_600, false],
  [3_600, false],
])('a signature of %i s from now: taken is %s', (offset, isTaken) => {
  for (const millisecond of [0, 500, 999]) {
    const reason = refusal(signed(NOW + offset), { now: NOW * 1_000 + millisecond });
    expect(reason).toEqual(isTaken ? null : expect.stringMatching(/300 seconds/));
  }
});

test('any secret may have signed, and any of several signatures may be the one', () => {
  const secrets = ['whsec_old', 'whsec_new'];
  for (const secret of secrets) expect(refusal(signed(NOW, BODY, secret), { secrets })).toBeNull();
  const other = digest(NOW, BODY, 'whsec_other');
  const both = `t=${NOW},v1=${other},v1=${digest(NOW)}`;
  expect(refusal(both)).toBeNull();
  expect(refusal(`v1=${digest(NOW)},v1=${other},t=${NOW}`)).toBeNull();
  expect(refusal(both, { secrets })).toMatch(/No signature/);
  expect(refusal(signed(NOW), { secrets: [] })).toMatch(/No signature/);
  // Each secret is used as it is: not without what it begins with, and not as base64.
  expect(refusal(signed(NOW, BODY, 'one'))).toMatch(/No signature/);
});

test('signatures of other schemes decide nothing, capital digits are digits', () => {
  const good = digest(NOW);
  for (const header of [
    `t=${NOW},v1=${good},v0=${'0'.repeat(64)}`,
    `t=${NOW},v0=x,v1=${good},v2=odd`,
    `t=${NOW},v1=${good.toUpperCase()}`,
  ]) {
    expect([header, refusal(header)]).toEqual([header, null]);
  }
  expect(refusal(`t=${NOW},v0=${good}`)).toMatch(/malformed/);
  expect(refusal(`t=${NOW},v2=${good},v1=${'0'.repeat(64)}`)).toMatch(/No signature/);
});

test('the signature is of these very bytes at this very time', () => {
  const header = signed(NOW);
  expect(refusal(header)).toBeNull();
  for (let index = 0; index < BODY.length; index += 1) {
    const body = Buffer.from(BODY);
    body[index] = (body[index] ?? 0) ^ 1;
    expect(refusal(header, { body })).toMatch(/No signature/);
  }
  expect(refusal(header, { body: BODY.subarray(0, -1) })).toMatch(/No signature/);
  expect(refusal(header, { body: Buffer.concat([BODY, Buffer.from(' ')]) })).toMatch(/No sig/);
  expect(refusal(`t=${NOW + 1},v1=${digest(NOW)}`)).toMatch(/No signature/);
  const digits = digest(NOW);
  for (let index = 0; index < digits.length; index += 1) {
    const changed = digits[index] === '0' ? '1' : '0';
    const forged = digits.slice(0, index) + changed + digits.slice(index + 1);
    expect(refusal(`t=${NOW},v1=${forged}`)).toMatch(/No signature/);
  }
});

test('bytes that are no text are signed as they are, and not as what they are decoded to', () => {
  const broken = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
  const decoded = Buffer.from(broken.toString('utf8'));
  expect(refusal(signed(NOW, broken), { body: broken })).toBeNull();
  expect(refusal(signed(NOW, decoded), { body: broken })).toMatch(/No signature/);
});

test('every malformed header is refused with a reason, and none throws', () => {
  const table = malformedSignatures(NOW, digest(NOW));
  expect(table.length).toBeGreaterThan(400);
  for (const header of table) {
    expect([header, refusal(header)]).toEqual([header, expect.stringMatching(/Stripe-Signature/)]);
  }
  expect(refusal([])).toMatch(/missing/);
  expect(refusal([signed(NOW), signed(NOW)])).toMatch(/twice/);
  expect(refusal([`t=${NOW}`, `v1=${digest(NOW)}`])).toMatch(/twice/);
});
