import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Transaction } from '@gatehouse/db/client';
import { withdrawJobs } from '@gatehouse/db/jobs';
import {
  createTask,
  deleteTask,
  findTask,
  listTasks,
  lockTask,
  type Task as StoredTask,
  updateTask,
} from '@gatehouse/db/tasks';
import { TaskSchema, taskView } from '@gatehouse/domain/task-view';
import { remindTask } from '@gatehouse/jobs/definitions/remind-task';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { NotFound } from '../../errors.ts';
import { tell } from '../../events.ts';
import { assertIfMatch, versionTag } from '../../plugins/etag.ts';
import { IdParams, IfMatch, idempotencyHeader, PageOf, problems } from '../../schemas.ts';
import { scheduleReminder } from './reminder.ts';
import { NewTask, TaskChange, TaskQuery } from './schemas.ts';

type TaskEvent = 'task.created' | 'task.updated' | 'task.deleted';

const plugin: FastifyPluginAsyncTypebox = async (app) => {
  /** The task that a mutation is about, locked, in the version that its client knows. */
  const take = async (
    tx: Transaction,
    request: FastifyRequest<{ Params: { id: string } }>,
  ): Promise<StoredTask> => {
    const task = await lockTask(tx, request.principal.accountId, request.params.id);
    if (task === null) throw new NotFound('task');
    assertIfMatch(request, versionTag(task));
    return task;
  };

  const tellOf = (tx: Transaction, request: FastifyRequest, type: TaskEvent, task: StoredTask) =>
    tell(tx, request, { accountId: task.accountId, type, data: taskView(task) });

  app.post(
    '/v1/tasks',
    {
      config: { access: 'tasks:write' },
      schema: {
        tags: ['Tasks'],
        summary: 'Create a task',
        headers: idempotencyHeader(false),
        body: NewTask,
        response: { 201: TaskSchema, ...problems(401, 403, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const { description = null, dueAt = null, ...fields } = request.body;
        const task = await createTask(tx, request.principal.accountId, {
          ...fields,
          description,
          dueAt: dueAt === null ? null : new Date(dueAt),
        });
        await scheduleReminder(app.jobs, tx, task, request.id);
        await tellOf(tx, request, 'task.created', task);
        return { status: 201, body: taskView(task), location: `/v1/tasks/${task.id}` };
      }),
  );

  app.get(
    '/v1/tasks',
    {
      config: { access: 'tasks:read' },
      schema: {
        tags: ['Tasks'],
        summary: 'List tasks, newest first',
        querystring: TaskQuery,
        response: { 200: PageOf(TaskSchema), ...problems(401, 403) },
      },
    },
    async ({ principal, query }) => {
      const page = await listTasks(app.db, principal.accountId, query, query);
      return { ...page, data: page.data.map(taskView) };
    },
  );

  app.get(
    '/v1/tasks/:id',
    {
      config: { access: 'tasks:read', etag: true },
      schema: {
        tags: ['Tasks'],
        summary: 'Read a task',
        params: IdParams,
        response: { 200: TaskSchema, ...problems(401, 403, 404) },
      },
    },
    async ({ principal, params }, reply) => {
      const task = await findTask(app.db, principal.accountId, params.id);
      if (task === null) throw new NotFound('task');
      reply.header('etag', versionTag(task));
      return taskView(task);
    },
  );

  app.patch(
    '/v1/tasks/:id',
    {
      config: { access: 'tasks:write' },
      schema: {
        tags: ['Tasks'],
        summary: 'Change a task',
        headers: Type.Intersect([idempotencyHeader(false), IfMatch]),
        params: IdParams,
        body: TaskChange,
        response: { 200: TaskSchema, ...problems(401, 403, 404, 412, 413, 415) },
      },
    },
    (request, reply) =>
      app.once(request, reply, async (tx) => {
        const task = await take(tx, request);
        const { dueAt, ...change } = request.body;
        const movedTo = dueAt == null ? dueAt : new Date(dueAt);
        const isMoved = movedTo !== undefined && movedTo?.getTime() !== task.dueAt?.getTime();
        const changed = await updateTask(tx, task, {
          ...change,
          dueAt: movedTo,
          // A new due time is a new reason to be reminded.
          ...(isMoved && { remindedAt: null }),
        });
        await scheduleReminder(app.jobs, tx, changed, request.id);
        await tellOf(tx, request, 'task.updated', changed);
        return { status: 200, body: taskView(changed), etag: versionTag(changed) };
      }),
  );

  app.delete(
    '/v1/tasks/:id',
    {
      config: { access: 'tasks:write' },
      schema: {
        tags: ['Tasks'],
        summary: 'Delete a task',
        headers: IfMatch,
        params: IdParams,
        response: { 204: Type.Null(), ...problems(401, 403, 404, 412) },
      },
    },
    async (request, reply) => {
      await app.transaction(async (tx) => {
        const task = await take(tx, request);
        await deleteTask(tx, task);
        await withdrawJobs(tx, remindTask.name, task.id);
        await tellOf(tx, request, 'task.deleted', task);
      });
      return reply.code(204).send(null);
    },
  );
};

export default plugin;
