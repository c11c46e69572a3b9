import { findLiveApiKey, recordApiKeyUses } from '@gatehouse/db/api-keys';
import fp from 'fastify-plugin';
import { type ApiKeyHasher, apiKeyHasher } from '../auth/api-keys.ts';
import { type Believed, believed } from '../auth/believed.ts';
import { createKeyUses } from '../auth/key-uses.ts';
import type { Principal } from '../auth/principal.ts';
import { isScope } from '../auth/scopes.ts';

declare module 'fastify' {
  interface FastifyInstance {
    hashApiKey: ApiKeyHasher;
    /** Who an API key acts for, by the key itself. To find him is a use of the key. */
    apiKeys: Believed<Principal>;
  }
}

export interface ApiKeysOptions {
  /** Hashes are made with the first; keys whose hash was made with another are found as well. */
  secrets: readonly [string, ...string[]];
}

export default fp<ApiKeysOptions>(
  async (app, { secrets: [first, ...others] }) => {
    const hash = apiKeyHasher(first);
    const hashers = [hash, ...others.map(apiKeyHasher)];
    const keys = believed(async (key): Promise<Principal | null> => {
      const stored = await findLiveApiKey(
        app.db,
        hashers.map((one) => one(key)),
      );
      return (
        stored && {
          accountId: stored.user.accountId,
          userId: stored.userId,
          role: stored.user.role,
          credential: 'api_key',
          credentialId: stored.id,
          scopes: stored.scopes.length === 0 ? null : new Set(stored.scopes.filter(isScope)),
        }
      );
    });
    const uses = createKeyUses((used) => recordApiKeyUses(app.db, used), app.log);
    app.addHook('onClose', uses.close);

    app.decorate('hashApiKey', hash);
    app.decorate('apiKeys', {
      ...keys,
      async find(key) {
        const principal = await keys.find(key);
        if (principal !== null) uses.add(principal.credentialId);
        return principal;
      },
    });
  },
  { name: 'api-keys', dependencies: ['database'] },
);
