import type { DepositFacts } from '@gatehouse/domain/deposit';
import type { PaymentObject } from './payments.ts';

/**
 * What an event is worth. `facts`: it says all itself. `ask`: it names an object, whose payment has to be read. `not yet`:
 * whoever has no key cannot tell whether it is for us. The others end there, with a reason for operators.
 */
export type EventReading =
  | {
      readonly kind: 'facts';
      readonly paymentIntentId: string;
      /** From the metadata of a PaymentIntent, which its charges have as well; other objects do not have it. */
      readonly depositId: string | null;
      readonly facts: DepositFacts;
    }
  | {
      readonly kind: 'ask';
      readonly object: PaymentObject;
      /** As far as the event says them: null otherwise. */
      readonly paymentIntentId: string | null;
      readonly depositId: string | null;
    }
  | { readonly kind: 'not yet'; readonly reason: string }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };
