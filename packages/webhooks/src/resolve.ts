import { lookup, Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The addresses of a name. Rejects when it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** For all of it: less than connecting may take. */
const WITHIN_MS = 3_000;

/** Of each name server, the first time round; one that is dead leaves time for the next. */
const TIMEOUT_MS = 800;
const TRIES = 2;

/** What the other family has, once one has answered: some name servers never answer for IPv6. */
const OTHER_FAMILY_MS = 100;

/** Names of one word, and of loopback: a machine without a network knows them too. */
const IS_OF_THIS_MACHINE = /^[^.]+\.?$|\.localhost\.?$/i;

/**
 * Asks the DNS (these servers, or the system's), and the system's own sources, as its hosts file, for what the DNS does not
 * know. The system's resolver comes second since it works on few names at a time: receivers whose name servers hang would
 * have the others wait.
 */
export function createResolve(servers?: readonly string[]): Resolve {
  return async (name) => {
    // A new one each time reads anew whom to ask: a container's name servers change.
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
    if (servers) resolver.setServers(servers);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(silence(name))), WITHIN_MS);
    try {
      return await Promise.race([addressesOf(name, resolver), late]);
    } finally {
      clearTimeout(timer);
      resolver.cancel();
    }
  };
}

export const resolveName = createResolve();

async function addressesOf(name: string, resolver: Resolver): Promise<string[]> {
  if (IS_OF_THIS_MACHINE.test(name)) return systemResolve(name);
  const found: string[][] = [];
  const families = [resolver.resolve4(name), resolver.resolve6(name)].map(async (answer, index) => {
    found[index] = await answer;
  });
  const all = Promise.allSettled(families);
  const oneAndAWhile = Promise.any(families).then(
    () => sleep(OTHER_FAMILY_MS),
    () => all,
  );
  await Promise.race([all, oneAndAWhile]);
  // What comes later is not connected to.
  const addresses = found.flat();
  if (addresses.length > 0) return addresses;
  for (const answer of await all) {
    if (answer.status === 'rejected' && !isUnknown(answer.reason)) {
      throw new Error(silence(name), { cause: answer.reason });
    }
  }
  return systemResolve(name);
}

async function systemResolve(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

const silence = (name: string) => `the name servers of ${name} do not answer`;

/** Whether the DNS says that there is nothing, in place of not saying anything. */
function isUnknown(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}
