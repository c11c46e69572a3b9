import type { Database, Transaction } from './client.ts';

type Hook = () => void;

const hooksOf = new WeakMap<Transaction, Hook[]>();

/**
 * Runs `effect` in one transaction, then what `afterCommit` was given, in that order.
 *
 * The hooks do not run when the transaction fails, nor when the process dies after the commit: what they do must
 * be a shortcut to something that happens anyway.
 */
export async function transaction<T>(
  db: Database,
  effect: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const hooks: Hook[] = [];
  const result = await db.$transaction((tx) => {
    hooksOf.set(tx, hooks);
    return effect(tx);
  });
  for (const hook of hooks) hook();
  return result;
}

/**
 * Has `hook` run once the transaction is committed. It must not throw.
 *
 * @throws when `tx` was not opened by `transaction`.
 */
export function afterCommit(tx: Transaction, hook: Hook): void {
  const hooks = hooksOf.get(tx);
  if (hooks === undefined)
    throw new Error('afterCommit needs a transaction opened by transaction()');
  hooks.push(hook);
}
