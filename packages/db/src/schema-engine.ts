import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type * as SchemaEngineModule from '@prisma/schema-engine-wasm';

/** Node has it; its type definitions leave it to those of the browser. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

type SchemaEngine = SchemaEngineModule.SchemaEngine;

let engineModule: Promise<typeof SchemaEngineModule> | undefined;

/** Node cannot import a `.wasm` file without a flag, so the module is instantiated by hand. */
async function load(): Promise<typeof SchemaEngineModule> {
  const require = createRequire(import.meta.url);
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(
    require
      .resolve('@prisma/schema-engine-wasm')
      .replace('schema_engine.js', 'schema_engine_bg.wasm'),
  );
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': withoutLingeringTimers(glue),
  });
  glue.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start !== 'function') throw new Error('the schema engine has no start function');
  start();
  return glue;
}

/** The engine sets a timer of ten seconds and leaves it: no process should wait for that. */
function withoutLingeringTimers(glue: object): object {
  return Object.fromEntries(
    Object.entries(glue).map(([name, value]) => [
      name,
      name.startsWith('__wbg_setTimeout_') && typeof value === 'function'
        ? (...given: unknown[]) => {
            const timer: unknown = value(...given);
            if (timer instanceof Object && 'unref' in timer && typeof timer.unref === 'function') {
              timer.unref();
            }
            return timer;
          }
        : value,
    ]),
  );
}

/**
 * Runs `use` with Prisma's schema engine, compiled to WebAssembly, on the given database.
 *
 * It is the engine of `prisma migrate`, without the native binary that `prisma` downloads.
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  schema: [path: string, text: string][],
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  engineModule ??= load();
  const { SchemaEngine } = await engineModule;
  // The engine never disposes of its adapter: let the idle connections end by themselves.
  const adapter = bindMigrationAwareSqlAdapterFactory(
    new PrismaPg({ connectionString: databaseUrl, idleTimeoutMillis: 100, allowExitOnIdle: true }),
  );
  const engine = await SchemaEngine.new({ datamodels: schema }, () => undefined, adapter);
  return await use(engine);
}
