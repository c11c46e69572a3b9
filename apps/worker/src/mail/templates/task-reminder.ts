import Type from 'typebox';
import { defineNotice, type Notice } from '../notice.ts';

const data = Type.Object({
  taskId: Type.String(),
  title: Type.String(),
  /** RFC 3339. */
  dueAt: Type.String(),
});

const notice = ({ title, dueAt }: Type.Static<typeof data>): Notice => ({
  title: 'A task is due',
  lead: 'A task of yours is due.',
  details: [
    ['Task', title],
    ['Due', dueAt],
  ],
  rest: [],
});

/** Reminds the owner of a task that it is due. */
export const taskReminder = defineNotice({
  name: 'task-reminder',
  data,
  sample: {
    taskId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    title: 'File taxes',
    dueAt: '2026-11-20T08:00:00.000Z',
  },
  subject: ({ title }) => `Due: ${title}`,
  notice,
});
