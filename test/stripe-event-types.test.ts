import { expect, it } from 'vitest';
import { HANDLED_EVENT_TYPES } from '../packages/payments/src/read-event.ts';
import { readText } from './repository.ts';

it('are in the README, all that are handled and no other, for whoever makes an endpoint at Stripe', () => {
  const list = /<!-- HANDLED_EVENT_TYPES -->\n\n```text\n(.*?)```/s.exec(
    readText('README.md'),
  )?.[1];
  const listed = (list ?? '').trim().split('\n');
  expect(listed).toContain('payment_intent.succeeded');
  expect(listed.toSorted()).toEqual(HANDLED_EVENT_TYPES.toSorted());
});
