import { describe, expect, it } from 'vitest';
import { seal, unseal } from '../src/sealing.ts';
import { createSecretBox } from '../src/secret-box.ts';

const [OLD, NEW] = ['the key of last year, long enough', 'the key of this year, long enough'];
const EARLIER = Buffer.from('79efc911737aae2c0588302da2da2f9d309472793c63884075', 'hex');
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('a secret box', () => {
  it('opens what it sealed, which shows nothing of it and is never the same', () => {
    const box = createSecretBox([OLD]);
    const [one, two] = [box.seal(SECRET, 'endpoint'), box.seal(SECRET, 'endpoint')];
    expect(box.open(one, 'endpoint')).toBe(SECRET);
    expect(box.open(two, 'endpoint')).toBe(SECRET);
    expect(one).not.toEqual(two);
    expect(one.includes(SECRET.slice(6, 16))).toBe(false);
    expect(createSecretBox([OLD]).open(Uint8Array.from(one), 'endpoint')).toBe(SECRET);
  });

  it('does not open what belongs to another', () => {
    const box = createSecretBox([OLD]);
    const sealed = box.seal(SECRET, 'endpoint');
    for (const other of ['', 'endpoint2', 'endpoin']) {
      expect(() => box.open(sealed, other)).toThrow('opens with none of the keys');
    }
  });

  it('seals under the first key, and opens what was sealed under any of them', () => {
    const before = createSecretBox([OLD]);
    const between = createSecretBox([OLD, NEW]);
    const after = createSecretBox([NEW, OLD]);
    const old = before.seal(SECRET, 'endpoint');
    const current = after.seal(SECRET, 'endpoint');
    for (const box of [between, after]) {
      expect(box.open(old, 'endpoint')).toBe(SECRET);
      expect(box.open(current, 'endpoint')).toBe(SECRET);
    }
    expect(() => before.open(current, 'endpoint')).toThrow('opens with none of the keys');
    expect(old.subarray(0, before.prefix.length)).toEqual(Buffer.from(before.prefix));
    expect(current.subarray(0, after.prefix.length)).toEqual(Buffer.from(after.prefix));
    expect(before.prefix).not.toEqual(after.prefix);
  });

  it('opens nothing of which a byte was changed, or that is cut short', () => {
    const box = createSecretBox([OLD]);
    const sealed = box.seal(SECRET, 'endpoint');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (sealed[index] ?? 0) ^ 1;
      expect(() => box.open(changed, 'endpoint'), `byte ${index}`).toThrow('with none of the keys');
      expect(() => box.open(sealed.subarray(0, index), 'endpoint')).toThrow(
        'with none of the keys',
      );
    }
  });
});

describe('sealing', () => {
  const key = Buffer.alloc(32, 7);

  it('opens what was sealed before it knew of contexts', () => {
    // AES-256-GCM under this key with the nonce 000102…0b and no additional data, made with node:crypto alone.
    const sealed = Buffer.from('000102030405060708090a0b', 'hex');
    const earlier = Buffer.concat([sealed, EARLIER]);
    expect(unseal([key], earlier)).toBe('an answer');
    expect(() => unseal([key], earlier, 'context')).toThrow('opens with none of the keys');
  });

  it('opens in its context only', () => {
    const sealed = seal(key, 'text', 'context');
    expect(unseal([key], sealed, 'context')).toBe('text');
    expect(() => unseal([key], sealed)).toThrow('opens with none of the keys');
  });
});
