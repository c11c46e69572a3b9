import { Decimal as DecimalJs } from 'decimal.js';

/**
 * 64 digits keep every sum, product and cost-basis quotient of accepted inputs exact up to the rounding that
 * a rule asks for: a cost basis in cents times a quantity in millionths stays far below 50 digits. Our own
 * clone, so that no library sharing decimal.js can change the precision under us.
 */
const Exact = DecimalJs.clone({
  defaults: true,
  precision: 64,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});

/** An exact decimal. Make one with {@link decimal}; it prints without an exponent, in JSON too. */
export type Decimal = DecimalJs;

/** A decimal of another library or another copy of decimal.js, such as a database client's. */
export interface DecimalLike {
  toFixed(): string;
  isFinite(): boolean;
}

export type DecimalInput = string | number | bigint | DecimalLike;

/** Something that is not a finite decimal in plain notation, or a number that is not an exact integer. */
export class InvalidDecimal extends Error {
  override readonly name = 'InvalidDecimal';

  constructor(text: string) {
    super(`not an exact decimal: ${JSON.stringify(text.slice(0, 64))}`);
  }
}

const PLAIN_NOTATION = /^-?\d+(\.\d+)?$/;

/**
 * The exact decimal of a value in plain notation (`-12.5`; no exponent, hexadecimal, `NaN` or `Infinity`).
 * A number is taken only when it is a safe integer: a fraction has lost its digits before it arrives here.
 *
 * @throws {InvalidDecimal}
 */
export function decimal(value: DecimalInput): Decimal {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new InvalidDecimal(String(value));
  }
  const text = typeof value === 'object' ? value.toFixed() : String(value);
  if (!PLAIN_NOTATION.test(text)) {
    throw new InvalidDecimal(text);
  }
  return new Exact(text);
}

export const ZERO: Decimal = decimal(0);

/** A quantity as the API prints it: no trailing zeros, no exponent (`3`, `0.5`). */
export function formatQuantity(quantity: Decimal): string {
  return quantity.toFixed();
}

/** A price or an amount of cash as the API prints it: at least two decimals, never rounded (`150.00`, `0.0001`). */
export function formatMoney(money: Decimal): string {
  return money.toFixed(Math.max(2, money.decimalPlaces()));
}

/**
 * What a buyer pays, in whole cents: rounded up. Rounding never gives money away, so a quantity so small that
 * it is worth less than a cent cannot be bought for nothing.
 */
export function roundCost(exact: Decimal): Decimal {
  return exact.toDecimalPlaces(2, Exact.ROUND_CEIL);
}

/**
 * What a seller gets, in whole cents: rounded down, for the same reason as {@link roundCost}. Together they
 * make buying and selling the same dust a loss, never a pump.
 */
export function roundProceeds(exact: Decimal): Decimal {
  return exact.toDecimalPlaces(2, Exact.ROUND_FLOOR);
}

/** Rounded half away from zero: for shares of an amount and averages, where no side is to be favoured. */
export function roundHalfUp(exact: Decimal, decimalPlaces: number): Decimal {
  return exact.toDecimalPlaces(decimalPlaces, Exact.ROUND_HALF_UP);
}

/**
 * A quantity in a request: above 0, at most 999999999.999999, 6 decimals. For JSON Schema `pattern`; a value
 * that matches is also a value that {@link decimal} takes.
 */
export const QUANTITY_PATTERN = '^(?!0(?:\\.0+)?$)(?:0|[1-9]\\d{0,8})(?:\\.\\d{1,6})?$';

/** A price in a request: above 0, at most 999999.9999, 4 decimals. */
export const PRICE_PATTERN = '^(?!0(?:\\.0+)?$)(?:0|[1-9]\\d{0,5})(?:\\.\\d{1,4})?$';
