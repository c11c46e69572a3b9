import { isDatabaseUnavailable, isDeadlock } from '@gatehouse/db/errors';
import { BrokerUnavailable } from '@gatehouse/domain/broker';
import { NoQuote } from '@gatehouse/domain/quote';
import type { FastifyError } from 'fastify';
import {
  BadRequest,
  BodyTooLarge,
  Internal,
  NotFound,
  PROBLEMS,
  Unavailable,
  UnsupportedMediaType,
  ValidationFailed,
} from './errors.ts';
import { type InputError, inputErrors } from './input/validation.ts';

/** RFC 9457, section 3. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  requestId: string;
  errors?: InputError[];
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Fastify's own errors, in our words: its texts and codes are not part of the contract. */
const TRANSLATIONS: Record<string, () => FastifyError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new BodyTooLarge(),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new UnsupportedMediaType(),
};

/** The error that a client is told of in place of any other: no stack, SQL or library text ever leaks. */
export function publicError(error: FastifyError): FastifyError {
  if (PROBLEMS.has(error.code)) return error;
  if (error.validation !== undefined) return new ValidationFailed();
  const translation = TRANSLATIONS[error.code];
  if (translation !== undefined) return translation();
  // A deadlock was resolved against this request: nothing of it was done, and it may simply come again.
  if (isDatabaseUnavailable(error) || isDeadlock(error)) return new Unavailable();
  if (error instanceof BrokerUnavailable) return new Unavailable();
  if (error instanceof NoQuote) return new NotFound('quote');
  return error.statusCode !== undefined && error.statusCode < 500
    ? new BadRequest()
    : new Internal();
}

/** The body of the answer to an error. `publicUrl` is where the docs page is. */
export function toProblem(error: FastifyError, requestId: string, publicUrl: string): Problem {
  const shown = publicError(error);
  const known = PROBLEMS.get(shown.code);
  if (known === undefined) throw new Error(`${shown.code} is no problem of ours`);
  const { code, status, title } = known;
  return {
    type: `${publicUrl}/docs#${code}`,
    title,
    status,
    detail: shown.message,
    code,
    requestId,
    ...(error.validation && {
      errors: inputErrors(error.validation).map((input) => ({
        ...input,
        pointer:
          error.validationContext === 'body'
            ? input.pointer
            : `/${error.validationContext}${input.pointer}`,
      })),
    }),
  };
}
