import 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of a throw-away server's database `postgres`, as superuser. */
    postgresUrl: string;
    /** Of a throw-away server with many numbered databases. */
    redisUrl: string;
  }
}
