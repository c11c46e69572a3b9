import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recordAct } from '@gatehouse/db/audit';
import {
  countDeadJobs,
  findJob,
  listJobs,
  redriveDeadJobs,
  redriveJob,
} from '@gatehouse/db/dead-letters';
import { cancelJob } from '@gatehouse/jobs/cancellation';
import { actorOf } from '../../auth/actor.ts';
import { JobNotCancelable, JobNotRedrivable, NotFound } from '../../errors.ts';
import { IdParams, idempotencyHeader, PageOf, problems } from '../../schemas.ts';
import { BulkRedrive, BulkRedriven, Job, JobQuery, REDRIVEN_AT_MOST } from './schemas.ts';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/v1/admin/jobs',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['Jobs'],
        summary: 'List what is owed, newest first',
        querystring: JobQuery,
        response: { 200: PageOf(Job), ...problems(401, 403) },
      },
    },
    ({ query }) => listJobs(app.db, query, query),
  );

  app.get(
    '/v1/admin/jobs/:id',
    {
      config: { access: 'operator', etag: true },
      schema: {
        tags: ['Jobs'],
        summary: 'Read a job that is owed; one that is done is there no longer',
        params: IdParams,
        response: { 200: Job, ...problems(401, 403, 404) },
      },
    },
    async ({ params }) => {
      const job = await findJob(app.db, params.id);
      if (job === null) throw new NotFound('job');
      return job;
    },
  );

  app.post(
    '/v1/admin/jobs/:id/redrive',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Jobs'],
        summary: 'Give a job that is dead or waits for a retry all its attempts anew, from now',
        headers: idempotencyHeader(false),
        params: IdParams,
        response: { 202: Job, ...problems(401, 403, 404, 409) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const redrive = await redriveJob(tx, request.params.id);
        if (redrive === null) throw new NotFound('job');
        const { job, isRedriven } = redrive;
        if (!isRedriven) throw new JobNotRedrivable();
        const { id, name, subjectId: about } = job;
        await recordAct(tx, actorOf(request), {
          action: 'job.redriven',
          subjectType: 'job',
          subjectId: id,
          details: { name, about },
        });
        return { status: 202, body: job };
      }),
  );

  app.post(
    '/v1/admin/jobs/:id/cancel',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Jobs'],
        summary: 'Forgive a job that is dead or waiting: what it owes will never happen',
        description:
          'Answers with the job as it was. An order that was not executed yet is canceled, a mail is not sent, a wish ' +
          'to cancel is forgotten, a task reminds nobody.',
        headers: idempotencyHeader(false),
        params: IdParams,
        response: { 202: Job, ...problems(401, 403, 404, 409) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const cancelation = await cancelJob(tx, request.params.id);
        if (cancelation === null) throw new NotFound('job');
        const { job, refusal } = cancelation;
        if (refusal !== null) throw new JobNotCancelable(refusal);
        const { id, name, subjectId: about } = job;
        // The one trace of the debt that outlives its row.
        await recordAct(tx, actorOf(request), {
          action: 'job.canceled',
          subjectType: 'job',
          subjectId: id,
          details: { name, about },
        });
        return { status: 202, body: job };
      }),
  );

  app.post(
    '/v1/admin/jobs/redrive',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['Jobs'],
        summary: 'Redrive the dead jobs of a queue, oldest first',
        headers: idempotencyHeader(false),
        body: BulkRedrive,
        response: { 200: BulkRedriven, ...problems(401, 403, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { dryRun, ...filter } = request.body;
        const matched = await countDeadJobs(tx, filter);
        if (dryRun) return { status: 200, body: { matched, redriven: 0 } };
        const redriven = await redriveDeadJobs(tx, filter, REDRIVEN_AT_MOST);
        const { queue, name = null } = filter;
        await recordAct(tx, actorOf(request), {
          action: 'jobs.redriven',
          subjectType: 'queue',
          subjectId: queue,
          details: { name, matched, redriven },
        });
        return { status: 200, body: { matched, redriven } };
      }),
  );
};

export default plugin;
