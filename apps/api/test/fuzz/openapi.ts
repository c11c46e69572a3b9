import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';

/** What the fuzz test reads of a JSON Schema. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  properties?: Record<string, Schema | boolean>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
  examples?: unknown[];
}

const AnySchema = Type.Unsafe<Schema>({ type: 'object' });

const Operation = Type.Object({
  parameters: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        in: Type.Enum(['path', 'query', 'header', 'cookie']),
        schema: AnySchema,
      }),
    ),
  ),
  requestBody: Type.Optional(
    Type.Object({
      content: Type.Object({ 'application/json': Type.Object({ schema: AnySchema }) }),
    }),
  ),
  responses: Type.Record(Type.String(), Type.Object({})),
});

const Document = Type.Object({
  paths: Type.Record(Type.String(), Type.Record(Type.String(), Operation)),
});

export type Parameter = NonNullable<Static<typeof Operation>['parameters']>[number];

export interface OperationToCall {
  method: string;
  /** With its parameters in braces. */
  path: string;
  parameters: Parameter[];
  /** Null for an operation without a body. */
  body: Schema | null;
  /** The statuses that it says it answers with. */
  statuses: number[];
}

/** Every operation of an OpenAPI document. */
export function operations(document: unknown): OperationToCall[] {
  return Object.entries(Value.Parse(Document, document).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content['application/json'].schema ?? null,
      statuses: Object.keys(responses).map(Number),
    })),
  );
}
