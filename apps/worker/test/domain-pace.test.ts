import { expect, test } from 'vitest';
import { createDomainPace, type DomainPace, type Trouble } from '../src/mail/domain-pace.ts';

const A = 'a.test';
const B = 'b.test';

function newPace(): DomainPace {
  return createDomainPace({
    atOnce: 2,
    domainPause: { firstMs: 1_000, longestMs: 5_000 },
    serverPause: { firstMs: 500, longestMs: 2_000 },
  });
}

/** A send from one time to another. */
function send(pace: DomainPace, domain: string, trouble: Trouble | null, from: number, to: number) {
  pace.begin(domain, from);
  pace.end(domain, { beganAt: from, trouble }, to);
}

test('to one domain go as many at once as may, to others as well', () => {
  const pace = newPace();
  pace.begin(A, 0);
  expect(pace.waitMs(A, 0, 0)).toBe(0);
  // Behind one that waits there is no place left.
  expect(pace.waitMs(A, 1, 0)).toBeGreaterThan(0);
  pace.begin(A, 0);
  expect(pace.waitMs(A, 0, 0)).toBeGreaterThan(0);
  expect(pace.waitMs(B, 0, 0)).toBe(0);
  pace.end(A, { beganAt: 0, trouble: null }, 10);
  expect(pace.waitMs(A, 0, 10)).toBe(0);
});

test('the wait is reckoned from how long sends take, and from how long nothing moves', () => {
  const pace = newPace();
  pace.begin(A, 0);
  for (let at = 0; at < 100_000; at += 1_000) send(pace, A, null, at, at + 1_000);
  pace.begin(A, 100_000);
  // A second each, two at once: the fifth in the line waits for two and a half.
  expect(pace.waitMs(A, 4, 100_000)).toBeCloseTo(2_500, -1);
  expect(pace.waitMs(A, 0, 100_000)).toBeCloseTo(500, -1);
  expect(pace.waitMs(A, 0, 130_000)).toBe(30_000);
});

test('a domain that defers is left alone for twice as long each time, up to a limit, and others are not', () => {
  const pace = newPace();
  let at = 0;
  for (const pause of [1_000, 2_000, 4_000, 5_000, 5_000]) {
    send(pace, A, 'domain', at, at);
    expect([pace.waitMs(A, 0, at), pace.waitMs(B, 0, at)]).toEqual([pause, 0]);
    expect(pace.waitMs(A, 0, at + pause - 1)).toBe(1);
    at += pause;
    expect(pace.waitMs(A, 0, at)).toBe(0);
  }
  // One tries for all.
  pace.begin(A, at);
  expect(pace.waitMs(A, 0, at)).toBeGreaterThan(0);
  pace.end(A, { beganAt: at, trouble: null }, at);
  pace.begin(A, at);
  expect(pace.waitMs(A, 0, at)).toBe(0);
  pace.end(A, { beganAt: at, trouble: 'domain' }, at);
  expect(pace.waitMs(A, 0, at)).toBe(1_000);
});

test('what was under way when the pause began neither lengthens nor ends it', () => {
  const pace = newPace();
  for (let n = 0; n < 3; n += 1) pace.begin(A, 0);
  pace.end(A, { beganAt: 0, trouble: 'domain' }, 100);
  pace.end(A, { beganAt: 0, trouble: 'domain' }, 200);
  expect(pace.waitMs(A, 0, 200)).toBe(900);
  pace.end(A, { beganAt: 0, trouble: null }, 300);
  expect(pace.waitMs(A, 0, 300)).toBe(800);
});

test('trouble of one mail pauses nobody, and shows that the domain answers', () => {
  const pace = newPace();
  send(pace, A, 'mail', 0, 0);
  expect(pace.waitMs(A, 0, 0)).toBe(0);
  send(pace, A, 'domain', 0, 0);
  send(pace, A, 'unknown', 1_000, 1_000);
  send(pace, A, 'mail', 1_000, 1_000);
  send(pace, A, 'domain', 1_000, 1_000);
  expect(pace.waitMs(A, 0, 1_000)).toBe(1_000);
});

test('trouble of our own server pauses all domains, until it answers again', () => {
  const pace = newPace();
  send(pace, A, 'server', 0, 0);
  expect([pace.waitMs(A, 0, 0), pace.waitMs(B, 0, 0)]).toEqual([500, 500]);
  send(pace, B, 'server', 500, 500);
  expect(pace.waitMs(A, 0, 500)).toBe(1_000);
  // It says that a domain cannot take mail now: it works.
  send(pace, B, 'domain', 1_500, 1_500);
  expect([pace.waitMs(A, 0, 1_500), pace.waitMs(B, 0, 1_500)]).toEqual([0, 1_000]);
  send(pace, A, 'server', 1_500, 1_500);
  expect(pace.waitMs('c.test', 0, 1_500)).toBe(500);
});

test('of many domains in trouble those over their pause are forgotten', () => {
  const pace = newPace();
  for (let n = 0; n < 3_000; n += 1) send(pace, `${n}.test`, 'domain', n * 10, n * 10);
  // The newest is remembered: its next pause is longer.
  send(pace, '2999.test', 'domain', 40_000, 40_000);
  expect(pace.waitMs('2999.test', 0, 40_000)).toBe(2_000);
  send(pace, '0.test', 'domain', 40_000, 40_000);
  expect(pace.waitMs('0.test', 0, 40_000)).toBe(1_000);
});
