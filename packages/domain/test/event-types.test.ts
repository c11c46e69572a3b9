import Type, { type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { describe, expect, it, test } from 'vitest';
import { listensTo } from '../src/event-filter.ts';
import { ACCOUNT_EVENTS } from '../src/event-types/account.ts';
import { DEPOSIT_EVENTS } from '../src/event-types/deposits.ts';
import { ORDER_EVENTS } from '../src/event-types/orders.ts';
import { TASK_EVENTS } from '../src/event-types/tasks.ts';
import { WEBHOOK_ENDPOINT_EVENTS } from '../src/event-types/webhook-endpoints.ts';
import { EVENT_RESOURCES, EVENT_TYPE_NAMES, EVENT_TYPES } from '../src/event-types.ts';
import { ORDER_STATUSES } from '../src/order.ts';

/** The schema, with every member named and no other: what is left out or added shows. */
function exact(schema: TSchema): TSchema {
  if (!Type.IsObject(schema)) throw new Error('data is an object');
  return Type.Object(schema.properties, { additionalProperties: false });
}

describe.each(EVENT_TYPE_NAMES)('%s', (name) => {
  const { description, schema, example } = EVENT_TYPES[name];

  it('has an example that is as its schema says, member for member', () => {
    expect(Value.Errors(exact(schema), example)).toEqual([]);
    expect(Object.keys(Object(example))).toEqual(Object.keys(Object(schema).properties));
  });

  it('has times in RFC 3339 with milliseconds, in UTC', () => {
    const times = Object.entries(Object(example)).filter(
      ([member, value]) => /At$|Since$|Until$/.test(member) && value !== null,
    );
    for (const [, value] of times) expect(new Date(String(value)).toISOString()).toBe(value);
  });

  it('says when there is one, and is called by a resource and what happened', () => {
    expect(description).toMatch(/^[A-Z].+\.$/);
    expect(name).toMatch(/^[a-z_]+\.[a-z_]+$/);
  });
});

test('no two resources have a type of the same name, and none is left out', () => {
  const families = [
    ORDER_EVENTS,
    TASK_EVENTS,
    DEPOSIT_EVENTS,
    ACCOUNT_EVENTS,
    WEBHOOK_ENDPOINT_EVENTS,
  ];
  const names = families.flatMap((family) => Object.keys(family));
  expect(new Set(names).size).toBe(names.length);
  expect(EVENT_TYPE_NAMES).toEqual(names);
});

test('an order has an event of each status, whose example has that status', () => {
  const told = Object.entries(ORDER_EVENTS).map(([name, { example }]) => [name, example.status]);
  expect(told).toEqual(ORDER_STATUSES.map((status) => [`order.${status}`, status]));
});

test('every type is of one resource, and whoever listens to that hears it', () => {
  expect(EVENT_RESOURCES).toEqual([
    'order.*',
    'task.*',
    'deposit.*',
    'account.*',
    'webhook_endpoint.*',
  ]);
  for (const name of EVENT_TYPE_NAMES) {
    expect(EVENT_RESOURCES.filter((resource) => listensTo([resource], name))).toHaveLength(1);
  }
});
