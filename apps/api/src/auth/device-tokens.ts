import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** Seconds for which a device is known after the last login on it: a year. */
export const DEVICE_SECONDS = 365 * 86_400;

export interface DeviceTokens {
  /** A token for a device on which the user has logged in. */
  issue(userId: string): string;
  /** The id of the device that has the token; null when it is none of ours, of this user, or of this year. */
  deviceOf(token: string, userId: string): string | null;
}

/**
 * Signs what a device is known by: `userId.id.issuedAt.mac`. It lets nobody in: it only tells the attempts of a user's
 * own devices from those of strangers. The first secret signs, all verify.
 */
export function createDeviceTokens(secrets: readonly [string, ...string[]]): DeviceTokens {
  const [current, ...others] = secrets;
  const macOf = (signed: string, secret = current) =>
    createHmac('sha256', keyOf(secret)).update(signed).digest();
  const now = () => Math.floor(Date.now() / 1_000);
  return {
    issue(userId) {
      const signed = `${userId}.${randomBytes(16).toString('base64url')}.${now()}`;
      return `${signed}.${macOf(signed).toString('base64url')}`;
    },
    deviceOf(token, userId) {
      const [owner, id = '', issuedAt, mac = ''] = token.split('.');
      const given = Buffer.from(mac, 'base64url');
      const isOurs = [current, ...others].some((secret) => {
        const expected = macOf(`${owner}.${id}.${issuedAt}`, secret);
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      if (!isOurs) return null;
      return owner === userId && Number(issuedAt) + DEVICE_SECONDS > now() ? id : null;
    },
  };
}

/** A key of its own: no other signed cookie passes for one of these, nor the other way round. */
function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse device cookies', 32));
}
