import type { AnySchema, ValidateFunction } from 'ajv';
import type { FastifySchemaValidationError } from 'fastify';

/** Fewer digits than a number holds exactly. */
const INTEGER = /^-?\d{1,15}$/;
const NUMBER = /^-?\d{1,15}(\.\d{1,15})?$/;

interface PlainNumbers {
  (data: unknown): boolean;
  errors: FastifySchemaValidationError[] | null;
}

/**
 * The validation of what arrives as text, with numbers in plain notation only. Ajv also takes `0x10`, `1e1000` and
 * `Infinity`, and then holds none that is infinite against its bounds.
 */
export function withPlainNumbers(schema: AnySchema, validate: ValidateFunction): PlainNumbers {
  const numbers = numericMembers(schema);
  const plain: PlainNumbers = Object.assign(
    (data: unknown): boolean => {
      const bad = numbers.filter(({ name, pattern }) => {
        const value = memberOf(data, name);
        return typeof value === 'string' && !pattern.test(value);
      });
      if (bad.length === 0) {
        const isValid = validate(data);
        plain.errors = validate.errors ?? null;
        return isValid;
      }
      plain.errors = bad.map(({ name, type }) => ({
        instancePath: `/${name}`,
        keyword: 'type',
        schemaPath: `#/properties/${name}/type`,
        params: { type },
        message: `must be ${type}`,
      }));
      return false;
    },
    { errors: null },
  );
  return plain;
}

function numericMembers(schema: AnySchema) {
  const properties = memberOf(schema, 'properties');
  if (typeof properties !== 'object' || properties === null) return [];
  return Object.entries(properties).flatMap(([name, member]: [string, unknown]) => {
    const type = memberOf(member, 'type');
    if (type === 'integer') return [{ name, type, pattern: INTEGER }];
    return type === 'number' ? [{ name, type, pattern: NUMBER }] : [];
  });
}

function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null
    ? Object.getOwnPropertyDescriptor(holder, name)?.value
    : undefined;
}
