import { expect, onTestFinished, test } from 'vitest';
import { startPreviewServer } from '../src/mail/preview-server.ts';
import { findTemplate, TEMPLATES } from '../src/mail/templates.ts';

async function start(port = 0) {
  const server = await startPreviewServer(port);
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${address.port}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  return { get, port: address.port };
}

test('every template is shown with its headers, its page in a sandbox and its text', async () => {
  const { get } = await start();
  const first = await get('/');
  for (const { name, sample } of TEMPLATES) {
    expect(first.text).toContain(`href="/${name}"`);
    const { subject, html } = findTemplate(name).render(sample);
    const { status, text } = await get(`/${name}`);
    expect([
      status,
      text.includes(`<iframe sandbox title="the page" src="/${name}/html">`),
    ]).toEqual([200, true]);
    expect(text).toContain(`Subject: ${subject}`);
    expect(text.includes('List-Unsubscribe-Post')).toBe(name === 'task-reminder');
    expect((await get(`/${name}/html`)).text).toBe(html);
  }
  expect((await get('/nothing')).status).toBe(404);
});

test('a server that was started anew has another version, by which pages load themselves again', async () => {
  const [one, other] = [await start(), await start()];
  const version = (await one.get('/version')).text;
  expect((await one.get('/version')).text).toBe(version);
  expect((await one.get('/')).text).toContain(version);
  expect((await other.get('/version')).text).not.toBe(version);
});

test('a port that is taken is an error', async () => {
  const { port } = await start();
  await expect(startPreviewServer(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
