import { expect, test } from 'vitest';
import { hideClientSecrets } from '../src/hide-client-secrets.ts';

test('the client secret of an object is hidden wherever it is, and nothing else changes', () => {
  const payload = ` {"id" : "evt_1","id":"evt_1", "n": 1e2,\n "data":{"object":{
    "client_secret" \t\n\r : "pi_1_secret_a","amount":1.0, "list":[{"client_secret":"pi_2_secret_b"}, null],
    "last_payment_error":{"payment_intent":{"client_secret":"", "é😀":"\\u0000"}}}} }\n`;
  expect(hideClientSecrets(payload)).toBe(
    payload
      .replace('"pi_1_secret_a"', '"hidden"')
      .replace('"pi_2_secret_b"', '"hidden"')
      .replace('"client_secret":""', '"client_secret":"hidden"'),
  );
});

test.each([
  ['pi_"secret"', '\\'],
  ['\\', '\\"', '"\\'],
  ['","client_secret":"x', '\u2028\n\u0000é😀'],
])('a value is hidden to its end, whatever is in it: %j', (...values) => {
  for (const value of values) {
    const hidden = hideClientSecrets(JSON.stringify({ client_secret: value, after: 'stays' }));
    expect(JSON.parse(hidden)).toEqual({ client_secret: 'hidden', after: 'stays' });
  }
});

test('what only looks like one stays', () => {
  const inside = JSON.stringify({ client_secret: 'pi_1_secret' });
  for (const value of [
    { client_secret: null },
    { client_secret: { id: 'x' }, other: ['client_secret', ':', 'y'] },
    { client_secret: 1, my_client_secret: 'z', client_secret_of: 'z', clientSecret: 'z' },
    { note: inside, notes: [`${inside}\\`, 'client_secret', '"client_secret": "x"'] },
    { '"client_secret': 'z', 'client_secret"': 'z', '\\"client_secret': 'z' },
    'client_secret',
  ]) {
    const text = JSON.stringify(value, null, 2);
    expect(hideClientSecrets(text)).toBe(text);
  }
});

test('a body of a megabyte takes no time, and no stack', () => {
  const half = 500_000;
  const bodies = [
    JSON.stringify({ client_secret: '\\'.repeat(half) }),
    JSON.stringify({ client_secret: 'x'.repeat(2 * half) }),
    `{"client_secret"${' '.repeat(2 * half)}:1}`,
    `{"client_secret":${' '.repeat(2 * half)}1}`,
    JSON.stringify(Array.from({ length: 60_000 }, () => 'client_secret')),
  ];
  const begun = performance.now();
  const [hidden, alike, ...same] = bodies.map(hideClientSecrets);
  expect(performance.now() - begun).toBeLessThan(1_000);
  expect([hidden, alike]).toEqual(Array(2).fill('{"client_secret":"hidden"}'));
  expect(same).toEqual(bodies.slice(2));
});
