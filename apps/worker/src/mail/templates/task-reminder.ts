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
  subject: ({ title }) => `Due: ${title}`,
  text: (task) => `A task of yours is due.\n\n${detailLines(rows(task))}\n`,
  html: (task) =>
    layout({
      title: 'A task is due',
      content: html`<p style="margin:0 0 16px">A task of yours is due.</p>
${detailTable(rows(task))}`,
    }),
});
