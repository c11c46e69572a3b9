import { hostname, userInfo } from 'node:os';
import type { Act, Actor } from '@gatehouse/db/audit';

/** Who types a command on a server: no user of ours. */
export const COMMAND_LINE: Actor = {
  actorId: null,
  credential: 'command_line',
  credentialId: null,
  address: null,
  userAgent: null,
  requestId: null,
};

/** Details of what he does, with what the machine knows of him. */
export function fromHere(details: Act['details'] = {}): Act['details'] & {} {
  return { ...details, user: userName(), host: hostname() };
}

/** In a container a user may have a number only, for which there is no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR'))
      throw error;
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
