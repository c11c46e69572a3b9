import type { Disputes } from './disputes.ts';
import { type EventLog, eventFilter } from './event-log.ts';
import { createExpand } from './expand.ts';
import type { Form } from './form.ts';
import { LIST_PARAMETERS, listOfPayment, listPage } from './list-page.ts';
import type { Cause } from './objects.ts';
import type { PaymentIntents } from './payment-intents.ts';
import type { Refunds } from './refunds.ts';
import { Refusal } from './refusal.ts';
import type { ThinEvents } from './thin-events.ts';

interface Resources {
  readonly intents: PaymentIntents;
  readonly refunds: Refunds;
  readonly disputes: Disputes;
  readonly events: EventLog;
  readonly thinEvents: ThinEvents;
}

interface Call {
  /** From the path; empty where there is none. */
  readonly id: string;
  readonly form: Form;
  readonly cause: Cause;
}

/** @throws Refusal */
export type Router = (method: string, path: string, form: Form, cause: Cause) => object;

export function createRouter(resources: Resources): Router {
  const { intents, refunds, disputes, events, thinEvents } = resources;
  const expand = createExpand(intents);
  const get = (find: (id: string) => object) => (call: Call) => {
    call.form.allowOnly('expand', 'client_secret');
    return expand(find(call.id), call.form.list('expand'));
  };

  const routes: Readonly<Record<string, (call: Call) => object>> = {
    'POST /v1/payment_intents': ({ form, cause }) => {
      const created = intents.create(form, cause);
      return expand(created, form.list('expand'));
    },
    'GET /v1/payment_intents': ({ form }) => {
      form.allowOnly(...LIST_PARAMETERS);
      const page = listPage('/v1/payment_intents', form, intents.all());
      const paths = form.list('expand').map((path) => path.replace(/^data\./, ''));
      return { ...page, data: page.data.map((intent) => expand(intent, paths)) };
    },
    'GET /v1/payment_intents/:id': get(intents.find),
    'POST /v1/payment_intents/:id/cancel': ({ id, form, cause }) => {
      form.allowOnly('cancellation_reason', 'expand');
      const canceled = intents.cancel(id, form.text('cancellation_reason'), cause);
      return expand(canceled, form.list('expand'));
    },
    'POST /v1/refunds': ({ form, cause }) => {
      const created = refunds.create(form, cause);
      return expand(created, form.list('expand'));
    },
    'GET /v1/refunds': ({ form }) => listOfPayment('/v1/refunds', form, refunds.all()),
    'GET /v1/refunds/:id': get(refunds.find),
    'GET /v1/charges/:id': get(intents.charge),
    'GET /v1/disputes': ({ form }) => listOfPayment('/v1/disputes', form, disputes.all()),
    'GET /v1/disputes/:id': get(disputes.find),
    'GET /v1/events': ({ form }) => {
      form.allowOnly(...LIST_PARAMETERS, 'type', 'types', 'delivery_success');
      return listPage('/v1/events', form, events.all(), eventFilter(form));
    },
    'GET /v1/events/:id': get(events.find),
    'GET /v2/core/events/:id': ({ id }) => thinEvents.find(id),
  };

  return (method, path, form, cause) => {
    const [, base, id = '', action = ''] =
      /^(\/v1\/\w+|\/v2\/core\/\w+)(?:\/([^/]+)(\/\w+)?)?$/.exec(path) ?? [];
    const route = routes[`${method} ${base}${id === '' ? '' : '/:id'}${action}`];
    if (route) return route({ id, form, cause });
    const message = `Unrecognized request URL (${method}: ${path}).`;
    throw new Refusal(404, { type: 'invalid_request_error', message });
  };
}
