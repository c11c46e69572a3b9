/** Every type, or all of one resource. */
export const ALL_EVENTS = '*';

/** Whether an endpoint that listens to these (`order.filled`, `order.*`, `*`) is to be told of a type. */
export function listensTo(filters: readonly string[], type: string): boolean {
  const [resource] = type.split('.', 1);
  return filters.some(
    (filter) => filter === ALL_EVENTS || filter === type || filter === `${resource}.*`,
  );
}
