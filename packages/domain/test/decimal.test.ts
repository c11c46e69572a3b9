import { Decimal as OtherDecimal } from 'decimal.js';
import { describe, expect, it } from 'vitest';
import {
  decimal,
  formatMoney,
  formatQuantity,
  InvalidDecimal,
  PRICE_PATTERN,
  QUANTITY_PATTERN,
  roundCost,
  roundHalfUp,
  roundProceeds,
} from '../src/decimal.ts';
import { generator } from './generator.ts';
import { cents, unscaled } from './scaled.ts';

describe('decimal', () => {
  it('adds what floating point cannot', () => {
    expect(decimal('0.1').plus(decimal('0.2')).equals('0.3')).toBe(true);
  });

  it('multiplies the largest accepted quantity and price without losing a digit', () => {
    const product = decimal('999999999.999999').times(decimal('999999.9999'));
    expect(product.toFixed()).toBe('999999999899999.0000000001');
  });

  it('takes integers, bigints and decimals of another library', () => {
    const Coarse = OtherDecimal.clone({ precision: 5, toExpNeg: -2, toExpPos: 2 });
    expect(decimal(3).toFixed()).toBe('3');
    expect(decimal(12345678901234567890n).toFixed()).toBe('12345678901234567890');
    const adopted = decimal(new Coarse('0.0000001'));
    expect(adopted.toString()).toBe('0.0000001');
    // It left its old precision behind as well.
    expect(adopted.plus('123456789').toFixed()).toBe('123456789.0000001');
  });

  it.each([
    '',
    ' ',
    ' 1',
    '1 ',
    '1\n',
    '+1',
    '1e3',
    '1E-7',
    '0x1F',
    '0b1',
    '.5',
    '5.',
    '1,000',
    '1_000',
    'NaN',
    'Infinity',
    '-Infinity',
    '--1',
    '١',
  ])('refuses the text %j', (text) => {
    expect(() => decimal(text)).toThrow(InvalidDecimal);
  });

  it.each([0.1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'refuses the inexact number %d',
    (value) => {
      expect(() => decimal(value)).toThrow(InvalidDecimal);
    },
  );

  it('refuses a decimal that is not finite', () => {
    expect(() => decimal(new OtherDecimal(Number.NaN))).toThrow(InvalidDecimal);
    expect(() => decimal(decimal(1).dividedBy(0))).toThrow(InvalidDecimal);
  });

  it('never prints an exponent, in JSON either', () => {
    const tiny = decimal('0.00000000000000000001');
    const huge = decimal('100000000000000000000000000000');
    expect(`${tiny} ${huge}`).toBe('0.00000000000000000001 100000000000000000000000000000');
    expect(JSON.stringify([tiny, huge])).toBe(
      '["0.00000000000000000001","100000000000000000000000000000"]',
    );
  });
});

describe('formatting', () => {
  it.each([
    ['3', '3'],
    ['3.000', '3'],
    ['0.500000', '0.5'],
    ['100', '100'],
    ['0.000001', '0.000001'],
    ['999999999.999999', '999999999.999999'],
    ['0', '0'],
  ])('prints the quantity %s as %s', (text, expected) => {
    expect(formatQuantity(decimal(text))).toBe(expected);
  });

  it.each([
    ['187.42', '187.42'],
    ['187.420000', '187.42'],
    ['150', '150.00'],
    ['150.5', '150.50'],
    ['0.0001', '0.0001'],
    ['-12.3', '-12.30'],
    ['0', '0.00'],
    ['-0', '0.00'],
    ['1000000000000000000000000', '1000000000000000000000000.00'],
  ])('prints the money %s as %s', (text, expected) => {
    expect(formatMoney(decimal(text))).toBe(expected);
  });
});

describe('rounding', () => {
  it.each([
    // exact, cost, proceeds
    ['0.0000000001', '0.01', '0.00'],
    ['0.005', '0.01', '0.00'],
    ['1.001', '1.01', '1.00'],
    ['1.009', '1.01', '1.00'],
    ['1.01', '1.01', '1.01'],
    ['150', '150.00', '150.00'],
  ])('of %s costs a buyer %s and gives a seller %s', (exact, cost, proceeds) => {
    expect(formatMoney(roundCost(decimal(exact)))).toBe(cost);
    expect(formatMoney(roundProceeds(decimal(exact)))).toBe(proceeds);
  });

  it('never favours the trader, and never by a cent or more the house', () => {
    const { integer } = generator(1);
    for (let round = 0; round < 5_000; round += 1) {
      // Units of 10^-10 dollars: a quantity in millionths times a price in ten-thousandths.
      const units =
        BigInt(integer(1, 10 ** integer(1, 15))) * BigInt(integer(1, 10 ** integer(1, 10)));
      const exact = unscaled(units, 10);
      const cent = 10n ** 8n;
      expect(cents(roundCost(exact))).toBe((units + cent - 1n) / cent);
      expect(cents(roundProceeds(exact))).toBe(units / cent);
    }
  });

  it('rounds half up where no side is to be favoured', () => {
    expect(roundHalfUp(decimal('0.125'), 2).toFixed()).toBe('0.13');
    expect(roundHalfUp(decimal('0.1249999'), 2).toFixed()).toBe('0.12');
  });
});

describe.each([
  {
    name: 'QUANTITY_PATTERN',
    pattern: QUANTITY_PATTERN,
    good: ['1', '10', '0.5', '0.000001', '3.000000', '999999999.999999', '1.10'],
    bad: ['0.0000001', '1000000000', '1.1234567'],
  },
  {
    name: 'PRICE_PATTERN',
    pattern: PRICE_PATTERN,
    good: ['1', '100', '0.01', '0.0001', '187.4200', '999999.9999'],
    bad: ['0.00001', '1000000', '1.12345'],
  },
])('$name', ({ pattern, good, bad }) => {
  // JSON Schema validators compile patterns with the unicode flag.
  const regex = new RegExp(pattern, 'u');

  it.each(good)('takes %j, which is a decimal', (text) => {
    expect(regex.test(text)).toBe(true);
    expect(decimal(text).greaterThan(0)).toBe(true);
  });

  it.each([
    ...bad,
    ...['', '0', '0.0', '0.000', '00', '01', '00.5', '-1', '+1', '1e3', '.5', '5.', '1.2.3'],
    ...[' 1', '1 ', '1\n', '1,5', 'NaN', 'Infinity', '0x1', '١'],
  ])('refuses %j', (text) => {
    expect(regex.test(text)).toBe(false);
  });
});
