import type { FastifyError } from 'fastify';
import { ValidationFailed } from '../errors.ts';

/**
 * The error for a member of the body that only a handler can find wrong: answered like those that the schema finds.
 * `pointer` is a JSON Pointer into the body, `code` is stable and snake_case.
 */
export function invalidInput(pointer: string, code: string, message: string): FastifyError {
  return Object.assign(new ValidationFailed(), {
    validation: [{ instancePath: pointer, keyword: code, message, params: {}, schemaPath: '#' }],
    validationContext: 'body',
  });
}
