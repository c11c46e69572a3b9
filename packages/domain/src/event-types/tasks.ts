import { TaskSchema, type TaskView } from '../task-view.ts';
import { eventType } from './event-type.ts';

const CREATED: TaskView = {
  id: '0197a1b2-0000-7000-8000-000000000002',
  title: 'Read the annual report',
  description: null,
  status: 'TODO',
  priority: 5,
  dueAt: '2026-11-23T09:00:00.000Z',
  version: 1,
  createdAt: '2026-11-20T08:00:00.000Z',
  updatedAt: '2026-11-20T08:00:00.000Z',
};
const DONE: TaskView = {
  ...CREATED,
  status: 'DONE',
  version: 2,
  updatedAt: '2026-11-20T17:45:00.000Z',
};

const task = (description: string, example: TaskView) =>
  eventType(TaskSchema, description, example);

export const TASK_EVENTS = {
  'task.created': task('A task was created.', CREATED),
  'task.updated': task('A task was changed.', DONE),
  'task.deleted': task('A task was deleted. It is shown as it was.', DONE),
  'task.due': task('A task that is not done is due, and its owner is reminded of it.', CREATED),
} as const;
