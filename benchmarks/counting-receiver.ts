import { createServer } from 'node:http';
import { listen } from '@gatehouse/testing/listen';

/**
 * A receiver that does nothing but answer 204. Listens on 127.0.0.1, sends its parent the URL, and for each message of its
 * parent a count of distinct `webhook-id`s so far.
 */
const ids = new Set<string>();
const server = createServer((request, response) => {
  ids.add(String(request.headers['webhook-id']));
  request.resume();
  request.once('end', () => response.writeHead(204).end());
});
server.keepAliveTimeout = 60_000;
const port = await listen(server);
process.send?.({ url: `http://127.0.0.1:${port}` });
process.on('message', () => process.send?.({ count: ids.size }));
