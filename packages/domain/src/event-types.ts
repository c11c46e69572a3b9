import { ACCOUNT_EVENTS } from './event-types/account.ts';
import { DEPOSIT_EVENTS } from './event-types/deposits.ts';
import type { EventTypeInfo } from './event-types/event-type.ts';
import { ORDER_EVENTS } from './event-types/orders.ts';
import { TASK_EVENTS } from './event-types/tasks.ts';
import { WEBHOOK_ENDPOINT_EVENTS } from './event-types/webhook-endpoints.ts';

const CATALOGUE = {
  ...ORDER_EVENTS,
  ...TASK_EVENTS,
  ...DEPOSIT_EVENTS,
  ...ACCOUNT_EVENTS,
  ...WEBHOOK_ENDPOINT_EVENTS,
} as const;

/** What may happen to an account, as it is called. A name is permanent: listeners know it. */
export type EventType = keyof typeof CATALOGUE;

/** Every type of event: when there is one, and what its `data` is. */
export const EVENT_TYPES: Readonly<Record<EventType, EventTypeInfo>> = CATALOGUE;

const isEventType = (name: string): name is EventType => Object.hasOwn(CATALOGUE, name);

export const EVENT_TYPE_NAMES: readonly EventType[] = Object.keys(CATALOGUE).filter(isEventType);

/** `order.*` of each resource: all that happens to it. */
export const EVENT_RESOURCES: readonly string[] = [
  ...new Set(EVENT_TYPE_NAMES.map((name) => `${name.split('.', 1)[0]}.*`)),
];
