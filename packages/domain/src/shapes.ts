import Type, { type TSchema } from 'typebox';
import { ID_PATTERN } from './id.ts';
import { SYMBOL_PATTERN } from './symbol.ts';

/** What the resources are made of, as JSON: in the API's answers and in events alike. */

export const Id = Type.String({ pattern: ID_PATTERN, description: 'UUIDv7' });
export const Ticker = Type.String({ pattern: SYMBOL_PATTERN, examples: ['AAPL'] });

/** RFC 3339, UTC, with milliseconds: `Date.prototype.toISOString`. */
export const Time = Type.String({ format: 'date-time' });

/** A decimal: a number would lose digits on the way. */
export const DecimalText = (example: string) => Type.String({ examples: [example] });

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
