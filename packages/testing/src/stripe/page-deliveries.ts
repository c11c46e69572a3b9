import type { DeliveryPlan } from './deliveries.ts';
import { html, type Markup } from './html.ts';

const CHOICES: Readonly<Record<string, { label: string; plan: DeliveryPlan }>> = {
  once: { label: 'once', plan: 'once' },
  twice: { label: 'twice', plan: 'twice' },
  late: { label: 'two seconds late', plan: { lateMs: 2_000 } },
  dropped: { label: 'not at all', plan: 'dropped' },
};

export const FIRST_CHOICE = 'once';

/** @throws for what is no choice */
export function deliveryPlan(choice: string): DeliveryPlan {
  const chosen = Object.hasOwn(CHOICES, choice) ? CHOICES[choice] : undefined;
  if (chosen === undefined) throw new Error(`there is no delivery ${choice}`);
  return chosen.plan;
}

/** Buttons for how events are delivered from now on. */
export function deliveryForm(current: string): Markup {
  const buttons = Object.entries(CHOICES).map(([choice, { label }]) =>
    choice === current
      ? html`<button name="delivery" value="${choice}" disabled>${label}</button> `
      : html`<button name="delivery" value="${choice}">${label}</button> `,
  );
  return html`<form method="post" action="/page/plan">New events are delivered: ${buttons}</form>`;
}
