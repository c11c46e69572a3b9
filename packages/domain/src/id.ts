import { v7 } from 'uuid';

/** A lower-case UUIDv7 (RFC 9562, section 5.7). For JSON Schema `pattern`. */
export const ID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';

const ID = new RegExp(ID_PATTERN);

/**
 * A new id, sorting after those this process made before. It reads the clock and draws random bits, which beside it
 * only `newSecretToken` does in this package: every caller needs ids of one kind, and passing both in would only move
 * the choice to each of them.
 */
export function newId(): string {
  return v7();
}

/** Whether a text is an id as {@link newId} makes them; upper-case is refused, so one id has one spelling. */
export function isId(text: string): boolean {
  return ID.test(text);
}
