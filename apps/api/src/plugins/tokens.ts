import fp from 'fastify-plugin';
import { parseKeyList } from '../auth/signing-keys.ts';
import { createTokens, type Tokens } from '../auth/tokens.ts';
import { watchKeys } from '../auth/watched-keys.ts';

declare module 'fastify' {
  interface FastifyInstance {
    tokens: Tokens;
  }
}

/** Where the keys are; one of the two is empty. */
export interface TokensOptions {
  /** The keys themselves, comma separated. */
  signingKeys: string;
  /** The path of a file of them, which is read anew whenever it changes. */
  signingKeysFile: string;
}

/** Access tokens, under keys that may change while the gateway runs. */
export default fp<TokensOptions>(
  async (app, { signingKeys, signingKeysFile }) => {
    if (signingKeysFile === '') {
      const keys = orSay('AUTH_SIGNING_KEYS', () => parseKeyList(signingKeys));
      app.decorate(
        'tokens',
        createTokens(() => keys),
      );
      return;
    }
    const watched = orSay('AUTH_SIGNING_KEYS_FILE', () => watchKeys(signingKeysFile, app.log));
    app.addHook('onClose', async () => watched.close());
    app.decorate('tokens', createTokens(watched.current));
  },
  { name: 'tokens' },
);

/** Runs `read`, and says in one line which setting is to be mended when it throws. */
function orSay<T>(setting: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${setting}: ${reason}`, { cause });
  }
}
