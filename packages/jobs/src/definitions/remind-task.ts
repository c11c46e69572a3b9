import Type from 'typebox';
import { DATABASE_RETRY, defineJob } from '../definition.ts';

/** Reminds the owner of a task that is due. It waits in Postgres until then. */
export const remindTask = defineJob({
  name: 'remind-task',
  queue: 'tasks',
  payload: Type.Object({ taskId: Type.String() }),
  subject: 'taskId',
  retry: DATABASE_RETRY,
});
