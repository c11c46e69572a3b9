import Type, { type Static } from 'typebox';
import { Id, Nullable, Time } from './shapes.ts';

export const TASK_STATUSES = ['TODO', 'IN_PROGRESS', 'DONE'] as const;
export const TaskStatusSchema = Type.Enum([...TASK_STATUSES]);
export const TaskPrioritySchema = Type.Integer({ minimum: 0, maximum: 9 });

export const TaskSchema = Type.Object({
  id: Id,
  title: Type.String(),
  description: Nullable(Type.String()),
  status: TaskStatusSchema,
  priority: TaskPrioritySchema,
  dueAt: Nullable(Time),
  version: Type.Integer(),
  createdAt: Time,
  updatedAt: Time,
});

export type TaskView = Static<typeof TaskSchema>;

/** A task as far as its view goes. */
export interface ViewableTask {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly status: (typeof TASK_STATUSES)[number];
  readonly priority: number;
  readonly dueAt: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A task as its owner sees it: what the API answers, and what the events of it carry. */
export function taskView(task: ViewableTask): TaskView {
  return {
    id: task.id,
    title: task.title,
    description: task.description,
    status: task.status,
    priority: task.priority,
    dueAt: task.dueAt?.toISOString() ?? null,
    version: task.version,
    createdAt: task.createdAt.toISOString(),
    updatedAt: task.updatedAt.toISOString(),
  };
}
