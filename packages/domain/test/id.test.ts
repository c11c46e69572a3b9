import { describe, expect, it } from 'vitest';
import { ID_PATTERN, isId, newId } from '../src/id.ts';

describe('ids', () => {
  it('are lower-case, distinct, in the order they were made and of their time', () => {
    const before = Date.now();
    const ids = Array.from({ length: 1_000 }, newId);
    expect(ids.every(isId)).toBe(true);
    expect(new Set(ids).size).toBe(1_000);
    expect([...ids].sort()).toEqual(ids);
    const madeAt = Number.parseInt((ids[0] ?? '').replaceAll('-', '').slice(0, 12), 16);
    expect(madeAt).toBeGreaterThanOrEqual(before);
    expect(madeAt).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    '',
    '42',
    '019a9f3e-7c5b-4d2e-8f00-0123456789ab', // version 4
    '019a9f3e-7c5b-7d2e-7f00-0123456789ab', // wrong variant
    '019A9F3E-7C5B-7D2E-8F00-0123456789AB',
    '019a9f3e7c5b7d2e8f000123456789ab',
    '{019a9f3e-7c5b-7d2e-8f00-0123456789ab}',
    '019a9f3e-7c5b-7d2e-8f00-0123456789ab\n',
    '00000000-0000-0000-0000-000000000000',
  ])('are not %j', (text) => {
    expect(isId(text)).toBe(false);
  });

  it('have a pattern that says the same under the unicode flag', () => {
    expect(new RegExp(ID_PATTERN, 'u').test('019a9f3e-7c5b-7d2e-8f00-0123456789ab')).toBe(true);
  });
});
