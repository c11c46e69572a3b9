import { describe, expect, it } from 'vitest';
import { SYMBOL_PATTERN } from '../src/symbol.ts';

describe('SYMBOL_PATTERN', () => {
  const pattern = new RegExp(SYMBOL_PATTERN, 'u');

  it.each(['A', 'AAPL', 'GOOGLE', 'BRK.B', 'ABCDEF.Z'])('takes %j', (symbol) => {
    expect(pattern.test(symbol)).toBe(true);
  });

  it.each(['', 'aapl', 'ABCDEFG', 'BRK.', '.B', 'BRK.BB', 'BRK.B.C', 'BRK-B', 'A1', 'AAPL\n', 'É'])(
    'refuses %j',
    (symbol) => {
      expect(pattern.test(symbol)).toBe(false);
    },
  );
});
