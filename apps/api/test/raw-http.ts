import { connect, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';

export interface RawAnswer {
  status: number;
  headers: Headers;
  /** Parsed when it is JSON, otherwise text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever an answer holds
  body: any;
}

export interface RawConnection {
  socket: Socket;
  /** Everything that has come so far. */
  received(): Buffer;
  /** Whether the other side has ended or cut the connection. */
  isEnded(): boolean;
  send(bytes: string | Buffer): void;
}

/** A connection that may send anything. */
export function openRaw(url: string): RawConnection {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  onTestFinished(() => {
    socket.destroy();
  });
  let received = Buffer.alloc(0);
  let ended = false;
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
  });
  socket.on('end', () => {
    ended = true;
  });
  // A server that refuses what it did not read to the end resets the connection.
  socket.on('error', () => {
    ended = true;
  });
  socket.on('close', () => {
    ended = true;
  });
  return {
    socket,
    received: () => received,
    isEnded: () => ended,
    send: (bytes) => {
      if (socket.writable) socket.write(bytes);
    },
  };
}

/** The answers in what was received, `100 Continue` included; what is not there in full is left out. */
export function rawAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes.toString('latin1');
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return answers;
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
    expect(status, `the status line ${JSON.stringify(statusLine)}`).toBeGreaterThan(99);
    const headers = new Headers(
      lines.map((line): [string, string] => {
        const [name = '', ...value] = line.split(': ');
        return [name, value.join(': ')];
      }),
    );
    const start = end + 4;
    const length = Number(headers.get('content-length') ?? 0);
    if (rest.length < start + length) return answers;
    const text = Buffer.from(rest.slice(start, start + length), 'latin1').toString('utf8');
    const isJson = /json/.test(headers.get('content-type') ?? '');
    answers.push({ status, headers, body: isJson ? JSON.parse(text) : text });
    rest = rest.slice(start + length);
  }
  return answers;
}
