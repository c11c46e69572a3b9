/**
 * What a mail is to its reader. `security`: it keeps his account his own. `transactional`: it tells of something that
 * he did, or that happened to him. `reminders`: he can do without, and may say so.
 */
export type EmailCategory = 'security' | 'transactional' | 'reminders';

/** By the name of the template. Those that are not here are transactional. */
const CATEGORIES: ReadonlyMap<string, EmailCategory> = new Map([
  ['password-reset', 'security'],
  ['password-changed', 'security'],
  ['task-reminder', 'reminders'],
]);

/** The category of a template's mails. */
export function emailCategory(template: string): EmailCategory {
  return CATEGORIES.get(template) ?? 'transactional';
}

/** Whether a reader may want no more mails of a category. */
export function isRefusable(category: EmailCategory): boolean {
  return category === 'reminders';
}

/** The templates of which it is told here that they are of this category. */
export function templatesOf(category: Exclude<EmailCategory, 'transactional'>): string[] {
  return [...CATEGORIES].flatMap(([template, its]) => (its === category ? [template] : []));
}
