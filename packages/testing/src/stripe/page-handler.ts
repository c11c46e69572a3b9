import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FakeStripe, PageHandler } from './fake.ts';
import { Form } from './form.ts';
import { renderPage, STYLE } from './page.ts';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * The page of a fake Stripe. It has no password, so it only listens to its own names (a foreign name that resolves to
 * this machine is refused), and takes a form only from itself.
 */
export function createPageHandler(fake: FakeStripe): PageHandler {
  const { port } = new URL(fake.url);
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];

  async function act(action: string, form: Form): Promise<void> {
    const id = form.required('id');
    if (action === 'pay') fake.pay(id);
    else if (action === 'fail') fake.fail(id);
    else if (action === 'cancel') fake.cancel(id);
    else if (action === 'refund') {
      fake.refund(
        id,
        form.text('amount') === '' ? undefined : (form.integer('amount') ?? undefined),
      );
    } else if (action === 'dispute') fake.dispute(id);
    else if (action === 'won' || action === 'lost') fake.closeDispute(id, action);
    else if (action === 'deliver') await fake.deliver(id);
    else throw new Error(`there is no button ${action}`);
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
    if (method === 'GET' && pathname === '/') return send(200, 'text/html', renderPage(fake, null));
    if (method === 'GET' && pathname === '/page/style.css') return send(200, 'text/css', STYLE);
    if (method !== 'POST') return send(404, 'text/plain', 'not found\n');
    if (!isOwnForm) return send(403, 'text/plain', 'only from the page itself\n');
    try {
      await act(pathname.slice('/page/'.length), new Form(body));
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return send(422, 'text/html', renderPage(fake, problem));
    }
    response.writeHead(303, { ...HEADERS, location: '/' });
    response.end();
  }

  return (request, body, response) => {
    // It fails only when the browser gives up in the middle.
    respond(request, body, response).catch(() => response.destroy());
  };
}
