import type { KeyObject } from 'node:crypto';
import type { LaneEndpoint } from '@gatehouse/db/due-deliveries';
import type { SecretBox } from '@gatehouse/domain/secret-box';
import { keyOf } from '@gatehouse/webhooks/signing-key';
import { NotYet } from '../not-yet.ts';

/** Where requests go, and what they are signed with: kept for no longer than it is sent to. */
export interface Target {
  origin: string;
  /** With its query. */
  path: string;
  keys: readonly KeyObject[];
}

/** How long a worker without the right key leaves an endpoint to others. */
const WITHOUT_KEY_MS = 30_000;

/**
 * @throws {NotYet} when a secret does not open: a key of ours is missing. That is no failure of the receiver, and giving up
 *   would not bring it back
 */
export function targetOf({ id, url, sealedSecrets }: LaneEndpoint, box: SecretBox): Target {
  const { origin, pathname, search } = new URL(url);
  return { origin, path: pathname + search, keys: sealedSecrets.map(open) };

  function open(sealed: Uint8Array): KeyObject {
    return keyOf(unseal(sealed));
  }

  function unseal(sealed: Uint8Array): string {
    try {
      return box.open(sealed, id);
    } catch (cause) {
      const message = `a secret of endpoint ${id} opens with none of the keys`;
      throw new NotYet(message, WITHOUT_KEY_MS, { cause, patienceMs: Number.POSITIVE_INFINITY });
    }
  }
}
