import Type from 'typebox';
import { html } from '../html.ts';
import { detailLines, detailTable, layout } from '../layout.ts';
import { defineTemplate } from '../template.ts';

const data = Type.Object({
  taskId: Type.String(),
  title: Type.String(),
  /** RFC 3339. */
  dueAt: Type.String(),
});

const rows = ({ title, dueAt }: Type.Static<typeof data>) =>
  [
    ['Task', title],
    ['Due', dueAt],
  ] as const;

/** Reminds the owner of a task that it is due. */
export const taskReminder = defineTemplate({
  name: 'task-reminder',
  data,
  sample: {
    taskId: '0199f3a0-7c1e-7d5a-9b1f-3c2d4e5f6a7b',
    title: 'File taxes',
    dueAt: '2026-11-20T08:00:00.000Z',
  },
  subject: ({ title }) => `Due: ${title}`,
  text: (task) => `A task of yours is due.\n\n${detailLines(rows(task))}\n`,
  html: (task) =>
    layout({
      title: 'A task is due',
      content: html`<p style="margin:0 0 16px">A task of yours is due.</p>
${detailTable(rows(task))}`,
    }),
});
