import type { Socket } from 'node:net';
import { newId } from '@gatehouse/domain/id';
import { BadRequest, HeadersTooLarge, RequestTimeout } from './errors.ts';
import { PROBLEM_TYPE, toProblem } from './problem.ts';

/** Node's codes for requests that end before they are requests. */
function problemOf(code: string | undefined) {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HeadersTooLarge();
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestTimeout();
    default:
      return new BadRequest();
  }
}

/** Answers what Node's HTTP parser could not make a request of, in the words of every other error. */
export function createConnectionErrorHandler(publicUrl: string) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    // Nobody is left to be answered.
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const problem = toProblem(problemOf(error.code), newId(), publicUrl);
    const body = JSON.stringify(problem);
    socket.end(
      [
        `HTTP/1.1 ${problem.status} ${problem.title}`,
        `Content-Type: ${PROBLEM_TYPE}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        `X-Request-Id: ${problem.requestId}`,
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  };
}
