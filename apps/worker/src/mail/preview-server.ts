import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { previewHtml, previewPage } from './preview-pages.ts';
import { TEMPLATES } from './templates.ts';

/** Serves previews of all templates on a port of 127.0.0.1. @throws when the port is taken */
export async function startPreviewServer(port: number): Promise<Server> {
  const version = randomUUID();
  const server = createServer((request, response) => {
    const [name = '', part] = (request.url ?? '/').slice(1).split('?')[0]?.split('/') ?? [];
    const send = (status: number, type: string, body: string) =>
      response
        .writeHead(status, {
          'content-type': `${type}; charset=utf-8`,
          'cache-control': 'no-store',
        })
        .end(body);
    const template = name === '' ? TEMPLATES[0]?.name : name;
    if (name === 'version') send(200, 'text/plain', version);
    else if (template === undefined || !TEMPLATES.some((one) => one.name === template))
      send(404, 'text/plain', 'There is no such template.\n');
    else if (part === 'html') send(200, 'text/html', previewHtml(template));
    else send(200, 'text/html', previewPage(template, version));
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}
