/** What a mail server is used with, unless its URL says otherwise. Times in milliseconds. */
const DEFAULTS = {
  /** More than one domain may take (see `domain-pace.ts`), so that a slow one never has them all. */
  maxConnections: 16,
  dnsTimeout: 5_000,
  connectionTimeout: 5_000,
  greetingTimeout: 5_000,
  /** Of silence, in the middle of a conversation. */
  socketTimeout: 15_000,
} as const;

type PoolSettings = Record<keyof typeof DEFAULTS, number>;

/**
 * The settings of the pool: what the parameters of the URL say, like `?maxConnections=4&rateLimit=10`, over the
 * defaults. What is not here (`rateLimit`, `rateDelta`, `maxMessages`, `tls.…`) nodemailer reads from the URL itself.
 *
 * @throws when a parameter that is here is no positive number
 */
export function poolSettings(smtpUrl: string): PoolSettings {
  const { searchParams } = new URL(smtpUrl);
  const setting = (name: keyof typeof DEFAULTS): number => {
    const given = searchParams.get(name);
    if (given === null) return DEFAULTS[name];
    const value = Number(given);
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`${name} of SMTP_URL is no whole number above 0`);
    return value;
  };
  return {
    maxConnections: setting('maxConnections'),
    dnsTimeout: setting('dnsTimeout'),
    connectionTimeout: setting('connectionTimeout'),
    greetingTimeout: setting('greetingTimeout'),
    socketTimeout: setting('socketTimeout'),
  };
}
