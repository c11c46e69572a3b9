import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DemoAccount } from './demo-account.ts';
import type { FakeStripe, PageHandler } from './fake.ts';
import { Form } from './form.ts';
import { type Funds, renderPage } from './page.ts';
import { REFRESH_SCRIPT, STYLE } from './page-assets.ts';
import { deliveryPlan, FIRST_CHOICE } from './page-deliveries.ts';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * The page of a fake Stripe. It has no password, so it only listens to its own names (a foreign name that resolves to
 * this machine is refused), and takes a form only from itself.
 *
 * @param demo whose balance it shows, and whose deposits it makes
 */
export function createPageHandler(fake: FakeStripe, demo: DemoAccount | null): PageHandler {
  const { port } = new URL(fake.url);
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];

  let delivery = FIRST_CHOICE;

  async function render(problem: string | null): Promise<string> {
    const funds: Funds = demo && (await demo.balance().catch(toProblem));
    return renderPage(fake, { funds, delivery, problem });
  }

  /** What the buttons do, by their names. */
  const actions: Readonly<Record<string, (form: Form) => unknown>> = {
    deposit: (form) => demo?.deposit(form.integer('amount') ?? 0, form.required('key')),
    plan: (form) => {
      const choice = form.required('delivery');
      fake.plan('all', deliveryPlan(choice));
      delivery = choice;
    },
    pay: (form) => fake.pay(form.required('id')),
    fail: (form) => fake.fail(form.required('id')),
    cancel: (form) => fake.cancel(form.required('id')),
    // All that is left, when the field is empty.
    refund: (form) => {
      const amount = form.text('amount') === '' ? null : form.integer('amount');
      return fake.refund(form.required('id'), amount ?? undefined);
    },
    'refund-fails': (form) => fake.failRefund(form.required('id')),
    dispute: (form) => fake.dispute(form.required('id')),
    won: (form) => fake.closeDispute(form.required('id'), 'won'),
    lost: (form) => fake.closeDispute(form.required('id'), 'lost'),
    deliver: (form) => fake.deliver(form.required('id')),
  };

  async function act(name: string, form: Form): Promise<void> {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) throw new Error(`there is no button ${name}`);
    await action(form);
  }

  async function respond(request: IncomingMessage, body: string, response: ServerResponse) {
    const { method = '', url = '/', headers } = request;
    const { pathname } = new URL(url, fake.url);
    const send = (status: number, type: string, text: string) => {
      response.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8` });
      response.end(text);
    };
    const host = headers.host ?? '';
    const isOwnForm = headers.origin === `http://${host}`;
    if (!hosts.includes(host)) return send(403, 'text/plain', 'not a name of this server\n');
    if (method === 'GET' && pathname === '/') return send(200, 'text/html', await render(null));
    if (method === 'GET' && pathname === '/page/style.css') return send(200, 'text/css', STYLE);
    if (method === 'GET' && pathname === '/page/refresh.js') {
      return send(200, 'text/javascript', REFRESH_SCRIPT);
    }
    if (method !== 'POST') return send(404, 'text/plain', 'not found\n');
    if (!isOwnForm) return send(403, 'text/plain', 'only from the page itself\n');
    try {
      await act(pathname.slice('/page/'.length), new Form(body));
    } catch (error) {
      return send(422, 'text/html', await render(toProblem(error).problem));
    }
    response.writeHead(303, { ...HEADERS, location: '/' });
    response.end();
  }

  return (request, body, response) => {
    // It fails only when the browser gives up in the middle.
    respond(request, body, response).catch(() => response.destroy());
  };
}

function toProblem(error: unknown): { problem: string } {
  return { problem: error instanceof Error ? error.message : String(error) };
}
