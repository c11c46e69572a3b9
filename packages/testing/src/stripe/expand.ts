import type { PaymentIntents } from './payment-intents.ts';
import { invalid } from './refusal.ts';

/** Puts whole objects in the place of ids, as `expand[]` asks. */
export type Expand = (object: object, paths: readonly string[]) => Record<string, unknown>;

export function createExpand(intents: PaymentIntents): Expand {
  const lookups = new Map<string, (id: string) => object>([
    ['latest_charge', intents.charge],
    ['charge', intents.charge],
    ['payment_intent', intents.find],
  ]);
  return (object, paths) => {
    const body: Record<string, unknown> = { ...object };
    for (const path of paths) {
      const lookup = lookups.get(path);
      if (!lookup || !(path in body)) {
        throw invalid(`This property cannot be expanded (${path}).`, { param: 'expand' });
      }
      const id = body[path];
      if (typeof id === 'string') body[path] = lookup(id);
    }
    return body;
  };
}
