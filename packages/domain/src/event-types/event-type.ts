import type { Static, TSchema } from 'typebox';

/** A type of event, for whoever reads of it. */
export interface EventTypeInfo<Schema extends TSchema = TSchema> {
  /** When there is one. */
  readonly description: string;
  /** Of its `data`. */
  readonly schema: Schema;
  /** Of its `data`. */
  readonly example: Static<Schema>;
}

/** A type of event whose example the compiler holds against its schema. */
export function eventType<Schema extends TSchema>(
  schema: Schema,
  description: string,
  example: Static<Schema>,
): EventTypeInfo<Schema> {
  return { description, schema, example };
}
