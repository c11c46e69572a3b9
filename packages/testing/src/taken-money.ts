import type { Database } from '@gatehouse/db/client';
import { applyDepositFacts } from '@gatehouse/db/deposit-facts';
import { insertDeposit, lockDeposit } from '@gatehouse/db/deposits';
import { newId } from '@gatehouse/domain/id';

/**
 * Takes so many cents from an account, which owes what it does not have: somebody has paid a cent in, and disputes that
 * and all that is taken. Returns the id of the deposit.
 */
export async function takeFromAccount(
  db: Database,
  accountId: string,
  cents: number,
): Promise<string> {
  const id = newId();
  await db.$transaction(async (tx) => {
    await insertDeposit(tx, { id, accountId, amount: 1, currency: 'usd' });
    const deposit = await lockDeposit(tx, { id });
    if (deposit === null) throw new Error('the deposit is gone');
    const disputes = [{ id: `dp_${id}`, amount: cents + 1, status: 'lost' as const }];
    const facts = { status: 'succeeded' as const, receivedAmount: 1, disputes };
    const hearing = { paymentIntentId: `pi_${id}`, at: new Date(), requestId: null };
    await applyDepositFacts(tx, deposit, facts, hearing);
  });
  return id;
}
