/** Every type, or all of one resource. */
export const ALL_EVENTS = '*';

/** Whether an endpoint that listens to these (`order.filled`, `order.*`, `*`) is to be told of a type. */
export function listensTo(filters: readonly string[], type: string): boolean {
  return filtersOf(type).some((filter) => filters.includes(filter));
}

/** Each filter that a type passes. */
export function filtersOf(type: string): string[] {
  const [resource] = type.split('.', 1);
  return [ALL_EVENTS, type, `${resource}.*`];
}
