import type { EmailContent, SecretName, Template } from './template.ts';
import { depositDisputed } from './templates/deposit-disputed.ts';
import { depositFailed } from './templates/deposit-failed.ts';
import { depositReceived } from './templates/deposit-received.ts';
import { depositRefundFailed } from './templates/deposit-refund-failed.ts';
import { depositRefunded } from './templates/deposit-refunded.ts';
import { orderConfirmation } from './templates/order-confirmation.ts';
import { passwordChanged } from './templates/password-changed.ts';
import { passwordReset } from './templates/password-reset.ts';
import { taskReminder } from './templates/task-reminder.ts';
import { webhookEndpointDisabled } from './templates/webhook-endpoint-disabled.ts';

/** Every template that there is. */
export const TEMPLATES: readonly Template[] = [
  orderConfirmation,
  taskReminder,
  passwordReset,
  passwordChanged,
  depositReceived,
  depositFailed,
  depositRefunded,
  depositRefundFailed,
  depositDisputed,
  webhookEndpointDisabled,
];

/** @throws when there is no such template, or the data does not fit it */
export function renderEmail(template: string, data: unknown): EmailContent {
  return findTemplate(template).render(data);
}

/**
 * The members of a mail's data that its row does not have.
 *
 * @throws when there is no such template
 */
export function secretsOf(template: string): (readonly [member: string, secret: SecretName])[] {
  return Object.entries(findTemplate(template).secrets ?? {});
}

/** @throws when there is no such template */
export function findTemplate(template: string): Template {
  const found = TEMPLATES.find(({ name }) => name === template);
  if (found === undefined) throw new Error(`there is no e-mail template ${template}`);
  return found;
}
