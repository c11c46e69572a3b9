import { decimal, formatQuantity, InvalidDecimal } from '@gatehouse/domain/decimal';
import {
  Ajv2020,
  type AnySchema,
  type ErrorObject,
  type FuncKeywordDefinition,
} from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';
import { REQUIRED } from '../schemas.ts';
import { withPlainNumbers } from './plain-numbers.ts';

const LONGEST_DECIMAL = 32;

/**
 * Brings a decimal to its one spelling (`3`, `"3"` and `"3.0"` are the same quantity), so that handlers and
 * fingerprints see strings only.
 */
const canonicalDecimal: FuncKeywordDefinition = {
  keyword: 'canonicalDecimal',
  type: ['string', 'number'],
  schemaType: 'boolean',
  modifying: true,
  errors: false,
  validate: (_schema: boolean, data: string | number, _parent, context) => {
    const { parentData, parentDataProperty } = context ?? {};
    if (parentData === undefined || parentDataProperty === undefined) return false;
    // The pattern refuses it, which with `allErrors` does not spare a million digits from being read here.
    if (String(data).length > LONGEST_DECIMAL) return false;
    try {
      parentData[parentDataProperty] = formatQuantity(decimal(data));
      return true;
    } catch (error) {
      if (error instanceof InvalidDecimal) return false;
      throw error;
    }
  },
};

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339 that is a time for JavaScript (which knows no leap seconds) and for PostgreSQL (which knows no year 0). */
function isStorableTime(text: string): boolean {
  const time = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return time >= 0 && !isRolledOver(text);
}

/** `Date.parse` takes February 30 for March 2. */
function isRolledOver(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day;
}

function createAjv(coerceTypes: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    coerceTypes,
    useDefaults: true,
    allErrors: true,
    allowUnionTypes: true,
  });
  addFormats.default(ajv);
  ajv.addFormat('date-time', isStorableTime);
  ajv.addKeyword(canonicalDecimal);
  ajv.addKeyword(REQUIRED);
  return ajv;
}

/**
 * Bodies are taken at their word: a number in a string is not a number there. Everything else arrives as text
 * and is converted. Unknown members are refused, not removed.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<AnySchema> {
  const strict = createAjv(false);
  const coercing = createAjv(true);
  return ({ schema, httpPart }) =>
    httpPart === 'body'
      ? strict.compile(schema)
      : withPlainNumbers(schema, coercing.compile(schema));
}

export interface InputError {
  pointer: string;
  code: string;
  message: string;
}

/** More than this tells a reader nothing, and an answer should not grow with a hostile body. */
const MAX_ERRORS = 20;

/** Ajv's findings as the contract shows them: a JSON Pointer (RFC 6901) into the part of the request. */
export function inputErrors(errors: readonly Partial<ErrorObject>[]): InputError[] {
  return errors.slice(0, MAX_ERRORS).map(({ instancePath = '', keyword, params, message }) => {
    switch (keyword) {
      case 'required':
        return {
          pointer: `${instancePath}/${toPointerToken(params?.missingProperty)}`,
          code: 'required',
          message: 'is required',
        };
      case 'additionalProperties':
        return {
          pointer: `${instancePath}/${toPointerToken(params?.additionalProperty)}`,
          code: 'unknown_field',
          message: 'is not known',
        };
      default:
        return {
          pointer: instancePath,
          code: snakeCase(keyword ?? 'invalid'),
          message: message ?? 'is not valid',
        };
    }
  });
}

/** A member's name in a JSON Pointer (RFC 6901). */
export function toPointerToken(member: unknown): string {
  return String(member).slice(0, 256).replaceAll('~', '~0').replaceAll('/', '~1');
}

function snakeCase(keyword: string): string {
  return keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
