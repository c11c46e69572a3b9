import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { EVENT_TYPE_NAMES, EVENT_TYPES } from '@gatehouse/domain/event-types';
import Type from 'typebox';
import { problems } from '../../schemas.ts';

const EventTypeList = Type.Object({
  data: Type.Array(
    Type.Object({
      type: Type.String({ examples: ['order.filled'] }),
      description: Type.String(),
      schema: Type.Unknown({ description: 'JSON Schema of `data`' }),
      example: Type.Unknown({ description: 'Of `data`' }),
    }),
  ),
});

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  const data = EVENT_TYPE_NAMES.map((type) => {
    const { description, schema, example } = EVENT_TYPES[type];
    return { type, description, schema, example };
  });

  app.get(
    '/v1/event-types',
    {
      config: { access: 'public' },
      schema: {
        tags: ['Events'],
        summary: 'List the types of events, each with the schema of its data and an example',
        response: { 200: EventTypeList, ...problems() },
      },
    },
    () => ({ data }),
  );
};

export default plugin;
