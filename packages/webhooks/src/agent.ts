import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import { Agent, buildConnector } from 'undici';
import {
  assertAllowedAddresses,
  assertAllowedHost,
  assertAllowedScheme,
  type UrlRules,
} from './guard.ts';
import { type Resolve, resolveName } from './resolve.ts';

export interface GuardedAgentOptions {
  /** To one origin at a time at most. */
  connections?: number;
  connectTimeoutMs?: number;
  keepAliveMs?: number;
  resolve?: Resolve;
}

const MOST_HEADER_BYTES = 16_384;

/** Then the next of several addresses is tried. By default it is less than the way around the world takes. */
const ATTEMPT_MS = 1_000;

type LookupCallback = (
  error: Error | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * An agent that connects to nothing but what the rules allow: a name is resolved once, all its answers are checked, and one
 * of these very addresses is connected to. So a name that answers differently the next time gains nothing. What is not
 * allowed rejects the request with `UrlNotAllowed`.
 *
 * For many receivers: their connections are kept for a short while (docs/adr/0016-only-what-was-checked-is-called.md).
 */
export function createGuardedAgent(rules: UrlRules, options: GuardedAgentOptions = {}): Agent {
  const {
    connections = 128,
    connectTimeoutMs = 5_000,
    keepAliveMs = 10_000,
    resolve = resolveName,
  } = options;
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    // Another protocol, with one connection for all requests: a receiver's rate and time-outs would mean something else.
    allowH2: false,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    lookup: guardedLookup(rules, resolve),
  });
  return new Agent({
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    maxHeaderSize: MOST_HEADER_BYTES,
    connect: (target, callback) => {
      try {
        assertAllowedScheme(target.protocol, rules);
        // An address is not looked up by those who connect.
        assertAllowedHost(target.hostname, rules);
      } catch (error) {
        callback(errorOf(error), null);
        return;
      }
      connect(target, (error, socket) => {
        if (error) {
          callback(error, null);
          return;
        }
        try {
          // Whatever led here: nothing is sent to another address.
          assertAllowedAddresses([socket.remoteAddress ?? ''], rules);
        } catch (error) {
          socket.destroy();
          callback(errorOf(error), null);
          return;
        }
        callback(null, socket);
      });
    },
  });
}

function guardedLookup(rules: UrlRules, resolve: Resolve) {
  return (name: string, { all }: LookupOptions, callback: LookupCallback): void => {
    checked(name).then(
      ([first, ...others]) => {
        if (!first) callback(new Error(`${name} has no address`), []);
        else if (all) callback(null, [first, ...others]);
        else callback(null, first.address, first.family);
      },
      (error) => callback(errorOf(error), []),
    );
  };

  async function checked(name: string): Promise<LookupAddress[]> {
    const addresses = await resolve(name);
    assertAllowedAddresses(addresses, rules);
    return addresses.map((address) => ({ address, family: isIP(address) }));
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
