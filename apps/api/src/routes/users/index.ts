import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Config } from '../../config.ts';
import { change } from './change.ts';
import { create } from './create.ts';
import { me } from './me.ts';
import { read } from './read.ts';
import { remove } from './remove.ts';

const plugin: FastifyPluginAsyncTypebox<{ config: Config }> = async (app, { config }) => {
  await app.register(me);
  await app.register(read);
  await app.register(create, { config });
  await app.register(change);
  await app.register(remove);
};

export default plugin;
