import { expect, it } from 'vitest';
import { buyingPower } from '../src/buying-power.ts';
import { decimal } from '../src/decimal.ts';
import type { MovementKind } from '../src/deposit.ts';
import { postMovement } from '../src/deposit-entries.ts';
import { assertBalanced } from '../src/ledger.ts';

const movement = (kind: MovementKind, amount: number) => ({ kind, amount, disputeId: null });

it.each<[MovementKind, number, string, string, Record<string, string>, [string, string]]>([
  // amount in cents, free cash, owed; the entries; what is left of both
  ['deposit', 1_050, '0', '0', { cash: '10.5', equity: '-10.5' }, ['10.5', '0']],
  ['deposit', 1_050, '3', '4', { cash: '6.5', payable: '4', equity: '-10.5' }, ['9.5', '0']],
  ['deposit', 1_050, '3', '20', { payable: '10.5', equity: '-10.5' }, ['3', '9.5']],
  ['refund_reversal', 1, '0', '0.01', { payable: '0.01', equity: '-0.01' }, ['0', '0']],
  ['dispute_reversal', 1, '0', '0', { cash: '0.01', equity: '-0.01' }, ['0.01', '0']],
  ['refund', 1_050, '10.5', '0', { cash: '-10.5', equity: '10.5' }, ['0', '0']],
  ['refund', 1_050, '4', '1', { cash: '-4', payable: '-6.5', equity: '10.5' }, ['0', '7.5']],
  ['dispute', 1_050, '0', '0', { payable: '-10.5', equity: '10.5' }, ['0', '10.5']],
  // An order outside was filled above what it held: nothing is free, and nothing is put right with other money.
  ['dispute', 100, '-5', '0', { payable: '-1', equity: '1' }, ['-5', '1']],
])('%s of %i cents with %s free and %s owed', (kind, amount, free, owed, expected, left) => {
  const funds = { freeCash: decimal(free), owed: decimal(owed) };
  const posted = postMovement(movement(kind, amount), funds);
  assertBalanced(posted.entries);
  expect(
    Object.fromEntries(posted.entries.map(({ ledger, amount: sum }) => [ledger, sum.toFixed()])),
  ).toEqual(expected);
  expect([posted.funds.freeCash.toFixed(), posted.funds.owed.toFixed()]).toEqual(left);
});

it.each([0, -1, 0.5, Number.NaN, 2 ** 53])('a movement of %s is refused', (amount) => {
  const funds = { freeCash: decimal(0), owed: decimal(0) };
  expect(() => postMovement(movement('deposit', amount), funds)).toThrow(RangeError);
});

it.each([
  ['100', '0', '0', '100'],
  ['100', '30', '25.5', '44.5'],
  ['100', '70', '30', '0'],
  ['100', '70', '30.01', '0'],
])('of %s with %s held and %s owed, %s can be bought with', (cash, held, owed, left) => {
  const money = { cash: decimal(cash), heldCash: decimal(held), owed: decimal(owed) };
  expect(buyingPower(money).toFixed()).toBe(left);
});
