import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { change } from './change.ts';
import { create } from './create.ts';
import { read } from './read.ts';
import { remove } from './remove.ts';
import { rotate } from './rotate-secret.ts';
import { sendTest } from './send-test.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(create);
  await app.register(read);
  await app.register(change);
  await app.register(remove);
  await app.register(rotate);
  await app.register(sendTest);
};

export default plugin;
