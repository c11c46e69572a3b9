import { randomUUID } from 'node:crypto';
import type { Balance } from './demo-account.ts';
import type { FakeStripe } from './fake.ts';
import { html, type Markup } from './html.ts';
import { deliveryForm } from './page-deliveries.ts';
import { payment } from './page-payment.ts';

const SHOWN = 50;

/** What the demo user has, or why nobody knows; null when there is no Gatehouse to ask. */
export type Funds = Balance | { readonly problem: string } | null;

export interface PageState {
  readonly funds: Funds;
  /** How new events are delivered. */
  readonly delivery: string;
  /** Why the last button did nothing. */
  readonly problem: string | null;
}

/** The account, a form for a deposit, and the newest payments. */
export function renderPage(fake: FakeStripe, { funds, delivery, problem }: PageState): string {
  const alert = problem === null ? [] : [html`<p role="alert">${problem}</p>`];
  const intents = fake.paymentIntents();
  const eventsTo = fake.endpointUrl();
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>Fake Stripe</title>
<link rel="stylesheet" href="/page/style.css">
<script src="/page/refresh.js" defer></script>
<noscript><meta http-equiv="refresh" content="5"></noscript>
</head>
<body>
<h1>Fake Stripe</h1>
${alert}
<main>
${fundsOf(funds)}
<h2>Payments</h2>
<p>${intents.length} in all, the newest first${intents.length > SHOWN ? ` ${SHOWN}` : ''}.
${eventsTo === null ? 'Events go nowhere.' : `Events go to ${eventsTo}, and are tried again when they are not taken.`}</p>
${eventsTo === null ? [] : [deliveryForm(delivery)]}
${intents
  .slice(-SHOWN)
  .toReversed()
  .map((intent) => payment(fake, intent))}
</main>
</body>
</html>
`.text;
}

function fundsOf(funds: Funds): Markup[] {
  if (funds === null) return [];
  if ('problem' in funds) return [html`<p role="alert">${funds.problem}</p>`];
  const { cash, buyingPower, owed } = funds;
  return [
    html`<h2>The demo user</h2>
<dl><div><dt>cash</dt><dd>$${cash}</dd></div><div><dt>buying power</dt><dd>$${buyingPower}</dd></div><div><dt>owed</dt><dd>$${owed}</dd></div></dl>
<form method="post" action="/page/deposit"><input type="hidden" name="key" value="page-${randomUUID()}">
<label>amount in cents <input name="amount" type="number" min="50" max="99999999" required value="10000"></label>
<button>make a deposit</button></form>`,
  ];
}
