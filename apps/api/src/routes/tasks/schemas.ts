import { TASK_STATUSES, TaskPrioritySchema, TaskStatusSchema } from '@gatehouse/domain/task-view';
import Type from 'typebox';
import { Body, Nullable, pageQuery, Query, Text } from '../../schemas.ts';

const DueAt = Type.String({ format: 'date-time' });

const fields = {
  title: Text(1, 200),
  description: Nullable(Text(0, 10_000)),
  status: TaskStatusSchema,
  priority: TaskPrioritySchema,
  dueAt: Nullable(DueAt),
};

export const NewTask = Body({
  title: fields.title,
  description: Type.Optional(fields.description),
  status: Type.Enum([...TASK_STATUSES], { default: 'TODO' }),
  priority: Type.Integer({ minimum: 0, maximum: 9, default: 0 }),
  dueAt: Type.Optional(fields.dueAt),
});

export const TaskChange = Body(
  {
    title: Type.Optional(fields.title),
    description: Type.Optional(fields.description),
    status: Type.Optional(TaskStatusSchema),
    priority: Type.Optional(TaskPrioritySchema),
    dueAt: Type.Optional(fields.dueAt),
  },
  { minProperties: 1 },
);

export const TaskQuery = Query({
  ...pageQuery,
  status: Type.Optional(TaskStatusSchema),
  priority: Type.Optional(TaskPrioritySchema),
});
