import Type from 'typebox';
import { Body, Id, Nullable, pageQuery, Query, Text, Timestamp } from '../../schemas.ts';

const Status = Type.Enum(['TODO', 'IN_PROGRESS', 'DONE']);
const Priority = Type.Integer({ minimum: 0, maximum: 9 });
const DueAt = Type.String({ format: 'date-time' });

const fields = {
  title: Text(1, 200),
  description: Nullable(Text(0, 10_000)),
  status: Status,
  priority: Priority,
  dueAt: Nullable(DueAt),
};

export const NewTask = Body({
  title: fields.title,
  description: Type.Optional(fields.description),
  status: Type.Enum(['TODO', 'IN_PROGRESS', 'DONE'], { default: 'TODO' }),
  priority: Type.Integer({ minimum: 0, maximum: 9, default: 0 }),
  dueAt: Type.Optional(fields.dueAt),
});

export const TaskChange = Body(
  {
    title: Type.Optional(fields.title),
    description: Type.Optional(fields.description),
    status: Type.Optional(Status),
    priority: Type.Optional(Priority),
    dueAt: Type.Optional(fields.dueAt),
  },
  { minProperties: 1 },
);

export const Task = Type.Object({
  id: Id,
  title: Type.String(),
  description: Nullable(Type.String()),
  status: Status,
  priority: Priority,
  dueAt: Nullable(Timestamp),
  version: Type.Integer(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});

export const TaskQuery = Query({
  ...pageQuery,
  status: Type.Optional(Status),
  priority: Type.Optional(Priority),
});

export const TaskParams = Type.Object({ id: Id });

export const IfMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The `ETag` that was read: 412 when it has changed since' }),
  ),
});
