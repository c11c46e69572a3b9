import { producerConnection, warmUp } from '@gatehouse/jobs/connection';
import fp from 'fastify-plugin';
import type { Redis } from 'ioredis';

declare module 'fastify' {
  interface FastifyInstance {
    redis: Redis;
  }
}

export interface RedisOptions {
  url: string;
}

/** Milliseconds to wait for Redis at the start. The gateway also starts without it. */
const WARM_UP_MS = 1_000;

export default fp<RedisOptions>(
  async (app, { url }) => {
    const redis = producerConnection(url, (err) =>
      app.log.warn({ err: err.message }, 'Redis connection'),
    );
    app.decorate('redis', redis);
    app.addHook('onClose', async () => redis.disconnect());
    await warmUp(redis, WARM_UP_MS);
  },
  { name: 'redis' },
);
