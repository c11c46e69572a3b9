import { isUtf8 } from 'node:buffer';
import { hideClientSecrets } from '@gatehouse/payments/hide-client-secrets';
import Type from 'typebox';
import { Compile } from 'typebox/compile';

/** Printable, and short enough for an index. */
const Token = Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' });

/** What snapshot and thin events have in common. Some have no `livemode`: those of a test. */
const Envelope = Compile(
  Type.Object({
    id: Token,
    type: Token,
    livemode: Type.Optional(Type.Unknown()),
  }),
);

export interface StripeEnvelope {
  eventId: string;
  type: string;
  livemode: boolean;
  /** The whole event, as it came save for the client secrets in it. */
  payload: string;
}

/**
 * What has to be known of an event to store it. Null when the bytes are no event. What else it says is read by whoever
 * processes it.
 */
export function readEnvelope(body: Buffer): StripeEnvelope | null {
  if (!isUtf8(body)) return null;
  const payload = body.toString('utf8');
  const event = parse(payload);
  if (!Envelope.Check(event)) return null;
  return {
    eventId: event.id,
    type: event.type,
    livemode: event.livemode === true,
    payload: hideClientSecrets(payload),
  };
}

/** Undefined when it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
