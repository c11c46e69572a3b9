import { isId } from '@gatehouse/domain/id';
import Type, { type Static, type TProperties } from 'typebox';

/** In minor units: what a column of the database holds. */
export const Amount = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });

const Id = Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' });
const Absent = Type.Union([Type.Null(), Type.Undefined()]);
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Absent]));
/** Of another object: its id, or all of it. */
const Reference = Type.Union([Id, Type.Object({ id: Id })]);

/** What the objects have in common. */
const object = <T extends TProperties>(properties: T) =>
  Type.Object({ id: Id, currency: Maybe(Type.String()), ...properties });

export const PaymentIntent = object({
  amount: Maybe(Amount),
  amount_received: Maybe(Amount),
  metadata: Maybe(Type.Record(Type.String(), Type.Unknown())),
});

export const Charge = object({
  payment_intent: Maybe(Reference),
  amount_refunded: Amount,
  metadata: Maybe(Type.Record(Type.String(), Type.Unknown())),
});

export const Refund = object({
  payment_intent: Maybe(Reference),
  status: Maybe(Type.String()),
  metadata: Maybe(Type.Record(Type.String(), Type.Unknown())),
});

export const Dispute = object({
  payment_intent: Maybe(Reference),
  amount: Amount,
  status: Type.String(),
});

/** A snapshot event, of which the object is read by who handles its type. */
export const Envelope = Type.Object({
  type: Type.String(),
  livemode: Maybe(Type.Boolean()),
  account: Type.Optional(Type.Unknown()),
  object: Type.Optional(Type.Unknown()),
});

export const Snapshot = Type.Object({ data: Type.Object({ object: Type.Unknown() }) });

/** A thin (v2) event: it names what it is about. */
export const Thin = Type.Object({
  related_object: Maybe(Type.Object({ id: Id, type: Type.String() })),
});

/** The id of what a reference refers to. */
export function idOf(reference: Static<typeof Reference> | null | undefined): string | null {
  if (reference === null || reference === undefined) return null;
  return typeof reference === 'string' ? reference : reference.id;
}

/** The deposit that metadata name; null when they name none of ours. */
export function depositIdOf(metadata: Readonly<Record<string, unknown>> | null | undefined) {
  const id = metadata?.deposit_id;
  return typeof id === 'string' && isId(id) ? id : null;
}
