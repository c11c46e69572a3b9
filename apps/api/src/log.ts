import type { LoggerOptions } from 'pino';

/** Structured lines. What could let somebody in is never among them. */
export function loggerOptions(level: string): LoggerOptions {
  return {
    level,
    redact: {
      paths: [
        'req.headers.authorization',
        'req.headers.cookie',
        'res.headers["set-cookie"]',
        '*.password',
        '*.accessToken',
        '*.key',
      ],
      censor: '[redacted]',
    },
  };
}
