import { Redis } from 'ioredis';

const EVERY_MS = 250;

/** In bytes, as Redis counts what it has allocated. */
export interface RedisMemory {
  before: number;
  most: number;
  now: number;
}

export interface MemoryWatch {
  sofar(): RedisMemory;
  stop(): void;
}

/** Watches what Redis uses. A look that it does not answer is left out. */
export function watchRedisMemory(url: string): MemoryWatch {
  const redis = new Redis(url);
  // Without a listener it prints each; it reconnects by itself.
  redis.on('error', () => undefined);
  const samples: number[] = [];
  const look = async () => {
    const used = /^used_memory:(\d+)/m.exec(await redis.info('memory').catch(() => ''))?.[1];
    if (used !== undefined) samples.push(Number(used));
  };
  void look();
  const timer = setInterval(look, EVERY_MS);
  return {
    sofar: () => ({
      before: samples[0] ?? 0,
      most: Math.max(0, ...samples),
      now: samples.at(-1) ?? 0,
    }),
    stop() {
      clearInterval(timer);
      redis.disconnect();
    },
  };
}
