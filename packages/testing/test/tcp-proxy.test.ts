import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../src/condition.ts';
import { listen } from '../src/listen.ts';
import { startTcpProxy } from '../src/tcp-proxy.ts';

/** A server that keeps what it hears and says it back, and a proxy before it. */
async function echo() {
  const peers: Socket[] = [];
  let heard = '';
  const server = createServer((peer) => {
    peers.push(peer);
    peer.on('data', (data) => {
      heard += data;
      peer.write(data);
    });
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.close();
  });
  const proxy = await startTcpProxy(`tcp://127.0.0.1:${port}/some/path`);
  onTestFinished(proxy.close);
  return { proxy, peers, heard: () => heard };
}

/** A connection to the URL, and all that came over it. */
function client(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => {
    socket.destroy();
  });
  let received = '';
  socket.setEncoding('utf8').on('data', (text) => {
    received += text;
  });
  return { socket, received: () => received };
}

test('what is held back arrives in order, and whole', async () => {
  const { proxy, heard } = await echo();
  expect(new URL(proxy.url).pathname).toBe('/some/path');
  const { socket, received } = client(proxy.url);
  socket.write('a');
  await until(() => received() === 'a', { what: 'the answer' });
  proxy.hold();
  socket.write('b');
  socket.write('c');
  const { received: others, socket: other } = client(proxy.url);
  other.write('x');
  // A later one passes: so would the others, if they were not kept back.
  await until(() => others() === 'x', { what: 'the answer to another' });
  expect(heard()).toBe('ax');
  proxy.release();
  await until(() => received() === 'abc', { what: 'what was kept back' });
});

test('a connection that is swallowed stays open and mute for ever; later ones work when it is healed', async () => {
  const { proxy, peers, heard } = await echo();
  const { socket, received } = client(proxy.url);
  socket.write('a');
  await until(() => received() === 'a', { what: 'the answer' });
  proxy.swallow();
  socket.write('lost');
  const { socket: mute, received: nothing } = client(proxy.url);
  await once(mute, 'connect');
  mute.write('lost');
  proxy.heal();
  const { socket: later, received: answers } = client(proxy.url);
  later.write('b');
  await until(() => answers() === 'b', { what: 'the answer to a later one' });
  socket.destroy();
  later.destroy();
  // The server is told that the later one has closed, and so would be told of the first.
  await until(() => peers[1]?.destroyed, { what: 'the server to hear of it' });
  expect(peers.map(({ destroyed }) => destroyed)).toEqual([false, true]);
  expect([heard(), received(), nothing()]).toEqual(['ab', 'a', '']);
});
