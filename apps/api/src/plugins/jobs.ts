import { createDispatcher } from '@gatehouse/jobs/dispatcher';
import { createJobLedger, type JobLedger } from '@gatehouse/jobs/ledger';
import { closeQueues, createQueues, type Queues } from '@gatehouse/jobs/queues';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    jobs: JobLedger;
    queues: Queues;
  }
}

export default fp(
  async (app) => {
    const queues = createQueues(app.redis, (err) => app.log.warn({ err: err.message }, 'queue'));
    const dispatcher = createDispatcher(app.db, queues, app.redis, app.log);
    app.decorate('queues', queues);
    app.decorate('jobs', createJobLedger(dispatcher));
    app.addHook('onClose', async () => {
      await dispatcher.drain();
      await closeQueues(queues);
    });
  },
  { name: 'jobs', dependencies: ['database', 'redis'] },
);
