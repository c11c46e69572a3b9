import type { Form } from './form.ts';
import { invalid } from './refusal.ts';

interface Listed {
  readonly id: string;
  readonly created: number;
}

export const LIST_PARAMETERS = ['limit', 'starting_after', 'created', 'expand'] as const;

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

/**
 * A page of a list, newest first, by `limit`, `starting_after` and `created[gt|gte|lt|lte]`. The cursor need not be in
 * the filtered list: an event may have been delivered since the page before.
 *
 * @param all of the kind, oldest first
 */
export function listPage<T extends Listed>(
  url: string,
  form: Form,
  all: readonly T[],
  isAskedFor: (one: T) => boolean = () => true,
) {
  const limit = form.integer('limit') ?? DEFAULT_LIMIT;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw invalid(`Invalid limit: must be between 1 and ${MAX_LIMIT}`, { param: 'limit' });
  }
  const isInTime = timeFilter(form);
  const matching = olderThan(form.text('starting_after'), all)
    .filter((one) => isInTime(one.created) && isAskedFor(one))
    .toReversed();
  return { object: 'list', url, has_more: matching.length > limit, data: matching.slice(0, limit) };
}

/** A page of what belongs to payments, by `payment_intent` and `charge` as well. */
export function listOfPayment<
  T extends Listed & { readonly payment_intent: string; readonly charge: string },
>(url: string, form: Form, all: readonly T[]) {
  form.allowOnly(...LIST_PARAMETERS, 'payment_intent', 'charge');
  const [intent, charge] = [form.text('payment_intent'), form.text('charge')];
  return listPage(
    url,
    form,
    all,
    (one) =>
      (intent === null || one.payment_intent === intent) &&
      (charge === null || one.charge === charge),
  );
}

function olderThan<T extends Listed>(cursor: string | null, all: readonly T[]): readonly T[] {
  if (cursor === null) return all;
  const at = all.findIndex(({ id }) => id === cursor);
  if (at === -1) {
    const problem = { code: 'resource_missing', param: 'starting_after' };
    throw invalid(`No such object: '${cursor}'`, problem);
  }
  return all.slice(0, at);
}

function timeFilter(form: Form): (created: number) => boolean {
  const [gt, gte] = [form.integer('created[gt]'), form.integer('created[gte]')];
  const [lt, lte] = [form.integer('created[lt]'), form.integer('created[lte]')];
  return (created) =>
    (gt === null || created > gt) &&
    (gte === null || created >= gte) &&
    (lt === null || created < lt) &&
    (lte === null || created <= lte);
}
