import type { FakeStripe } from './fake.ts';
import { html, type Markup } from './html.ts';
import type { Dispute, PaymentIntent, Refund, StripeEvent } from './objects.ts';
import { isDelivered } from './webhook-sender.ts';

/** One payment: what can be done with it, and what became of its events, oldest first. */
export function payment(fake: FakeStripe, intent: PaymentIntent): Markup {
  const { id, amount, currency, metadata } = intent;
  const isOfIt = (one: Refund | Dispute) => one.payment_intent === id;
  const events = fake.events().filter(({ data: { object } }) => paymentOf(object) === id);
  return html`<section>
<h3>${money(amount, currency)} <span class="${intent.status}">${intent.status.replaceAll('_', ' ')}</span></h3>
<p class="small">${id} ${JSON.stringify(metadata)}</p>
${decline(intent)}<div>${buttons(intent, fake.disputes().find(isOfIt))}</div>
${fake.refunds().filter(isOfIt).map(refund)}
<table>
${events.map((event) => eventRow(fake, event))}
</table>
</section>
`;
}

/** Why the last card did not do. */
function decline({ last_payment_error: error }: PaymentIntent): Markup[] {
  return error === null
    ? []
    : [
        html`<p class="canceled">${String(error.message)}</p>
`,
      ];
}

function paymentOf(object: StripeEvent['data']['object']): string {
  return object.object === 'payment_intent' ? object.id : object.payment_intent;
}

function buttons({ id, status }: PaymentIntent, dispute: Dispute | undefined): Markup[] {
  if (status === 'canceled') return [];
  if (status === 'requires_payment_method') {
    return [button('pay', id), button('fail', id), button('cancel', id)];
  }
  if (!dispute) return [refundForm(id), button('dispute', id)];
  if (dispute.status !== 'needs_response') return [html`dispute ${dispute.status}`];
  return [
    button('won', dispute.id, 'close dispute as won'),
    button('lost', dispute.id, 'close dispute as lost'),
  ];
}

function refund({ id, amount, currency, status }: Refund): Markup {
  const fail = status === 'failed' ? [] : [button('refund-fails', id, 'let it fail')];
  return html`<div>refund of ${money(amount, currency)} ${status} ${fail}</div>
`;
}

function button(action: string, id: string, label = action): Markup {
  return html`<form method="post" action="/page/${action}"><input type="hidden" name="id" value="${id}"><button>${label}</button></form>`;
}

function refundForm(id: string): Markup {
  return html`<form method="post" action="/page/refund"><input type="hidden" name="id" value="${id}">
<input name="amount" inputmode="numeric" pattern="[0-9]*" placeholder="cents, or all" aria-label="amount in minor units">
<button>refund</button></form>`;
}

function eventRow(fake: FakeStripe, event: StripeEvent): Markup {
  const { id, type, created } = event;
  return html`<tr><td>${new Date(created * 1000).toISOString().slice(11, 19)}</td><td>${type}</td><td class="small">${id}</td>
<td>${fate(fake, event)}</td><td>${button('deliver', id, 'deliver again')}</td></tr>
`;
}

function fate(fake: FakeStripe, { id, pending_webhooks }: StripeEvent): Markup {
  const attempts = fake.attempts(id);
  const answers = attempts.map(({ status, error }) => status ?? error ?? 'no answer').join(', ');
  const said = answers === '' ? '' : ` (${answers})`;
  if (attempts.some(isDelivered)) return html`<span class="succeeded">delivered</span>${said}`;
  if (pending_webhooks > 0) return html`<span class="canceled">not delivered</span>${said}`;
  // What was answered before this process is not kept.
  return html`${fake.endpointUrl() === null ? 'sent nowhere' : 'delivered earlier'}${said}`;
}

/** For the eye: two decimals, whatever the currency. */
function money(minorUnits: number, currency: string): string {
  return `${(minorUnits / 100).toFixed(2)} ${currency.toUpperCase()}`;
}
