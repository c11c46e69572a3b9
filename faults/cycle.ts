/**
 * The element at `index`, beginning again at the end of the list.
 *
 * @throws RangeError for an empty list
 */
export function cycle<T>(list: readonly T[], index: number): T {
  for (const one of list.slice(index % list.length)) return one;
  throw new RangeError('there is nothing to choose from');
}
