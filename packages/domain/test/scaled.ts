import { type Decimal, decimal } from '../src/decimal.ts';

/**
 * Fixed-point integers: the tests' own arithmetic, sharing nothing with decimal.js, to hold the rules against.
 * `scaled('1.25', 6)` is 1250000n.
 */
export function scaled(text: string, places: number): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  if (fraction.length > places) {
    throw new RangeError(`${text} has more than ${places} decimals`);
  }
  const magnitude = BigInt(whole + fraction.padEnd(places, '0'));
  return text.startsWith('-') ? -magnitude : magnitude;
}

/** The decimal of an integer count of 10^-places. */
export function unscaled(units: bigint, places: number): Decimal {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
  const sign = units < 0n ? '-' : '';
  return decimal(`${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`);
}

/** Whole cents of an amount; throws when it is not whole cents. */
export function cents(amount: Decimal): bigint {
  return scaled(amount.toFixed(), 2);
}
