import type { EmailContent, Template } from './template.ts';
import { orderConfirmation } from './templates/order-confirmation.ts';
import { taskReminder } from './templates/task-reminder.ts';

const TEMPLATES: readonly Template[] = [orderConfirmation, taskReminder];

/** @throws when there is no such template, or the data does not fit it */
export function renderEmail(template: string, data: unknown): EmailContent {
  const found = TEMPLATES.find(({ name }) => name === template);
  if (found === undefined) throw new Error(`there is no e-mail template ${template}`);
  return found.render(data);
}
