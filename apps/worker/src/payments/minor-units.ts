import { decimal } from '@gatehouse/domain/decimal';

/** Cents as dollars: `25.00`. */
export function formatMinor(amount: number): string {
  return decimal(amount).dividedBy(100).toFixed(2);
}
