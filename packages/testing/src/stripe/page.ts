import type { FakeStripe } from './fake.ts';
import { html, type Markup } from './html.ts';
import type { PaymentIntent, StripeEvent } from './objects.ts';

/** Of the page; the browser fetches it, so that the page may forbid styles within. */
export const STYLE = `body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #ddd; padding: .4rem .6rem; text-align: left; vertical-align: top }
form { display: inline-block; margin: 0 .3rem .3rem 0 }
[role=alert] { background: #fdecea; padding: .6rem }
input { width: 7rem }`;

/** PaymentIntents and events, newest first. `problem`: why the last button did nothing. */
export function renderPage(fake: FakeStripe, problem: string | null): string {
  const alert = problem === null ? [] : [html`<p role="alert">${problem}</p>`];
  const intents = fake.paymentIntents().toReversed();
  const events = fake.events().toReversed();
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Fake Stripe</title><link rel="stylesheet" href="/page/style.css"></head>
<body>
<h1>Fake Stripe</h1>
${alert}
<h2>PaymentIntents</h2>
<table>
<tr><th>PaymentIntent</th><th>amount</th><th>status</th><th>metadata</th><th></th></tr>
${intents.map((intent) => intentRow(fake, intent))}
</table>
<h2>Events</h2>
<table>
<tr><th>event</th><th>type</th><th>of</th><th>deliveries</th><th></th></tr>
${events.map((event) => eventRow(fake, event))}
</table>
</body>
</html>
`.text;
}

function intentRow(fake: FakeStripe, intent: PaymentIntent): Markup {
  const { id, amount, currency, metadata } = intent;
  return html`<tr><td>${id}</td><td>${money(amount, currency)}</td><td>${intent.status}</td>
<td>${JSON.stringify(metadata)}</td><td>${buttons(fake, intent)}</td></tr>
`;
}

function buttons(fake: FakeStripe, { id, status }: PaymentIntent): Markup[] {
  if (status === 'canceled') return [];
  if (status === 'requires_payment_method') {
    return [button('pay', id), button('fail', id), button('cancel', id)];
  }
  const dispute = fake.disputes().find((one) => one.payment_intent === id);
  if (!dispute) return [refundForm(id), button('dispute', id)];
  if (dispute.status !== 'needs_response') return [html`dispute ${dispute.status}`];
  return [
    button('won', dispute.id, 'close dispute as won'),
    button('lost', dispute.id, 'close dispute as lost'),
  ];
}

function button(action: string, id: string, label = action): Markup {
  return html`<form method="post" action="/page/${action}"><input type="hidden" name="id" value="${id}"><button>${label}</button></form>`;
}

function refundForm(id: string): Markup {
  return html`<form method="post" action="/page/refund"><input type="hidden" name="id" value="${id}">
<input name="amount" inputmode="numeric" pattern="[0-9]*" placeholder="cents, or all" aria-label="amount in minor units">
<button>refund</button></form>`;
}

function eventRow(fake: FakeStripe, { id, type, data }: StripeEvent): Markup {
  const attempts = fake
    .attempts(id)
    .map(({ at, status, error }) => html`<div>${at.toISOString()} ${status ?? error ?? ''}</div>`);
  return html`<tr><td>${id}</td><td>${type}</td><td>${data.object.id}</td><td>${attempts}</td>
<td>${button('deliver', id, 'deliver again')}</td></tr>
`;
}

/** For the eye: two decimals, whatever the currency. */
function money(minorUnits: number, currency: string): string {
  return `${(minorUnits / 100).toFixed(2)} ${currency.toUpperCase()}`;
}
