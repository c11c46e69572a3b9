import { describe, expect, it } from 'vitest';
import { isAllowedAddress } from '../src/addresses.ts';
import { assertAllowedTarget, assertAllowedUrl } from '../src/guard.ts';
import {
  ALLOWED_ADDRESSES,
  ALLOWED_URLS,
  ALWAYS_FORBIDDEN,
  FORBIDDEN_HOSTS,
  FORBIDDEN_URLS,
  PRIVATE_ADDRESSES,
} from './url-table.ts';

const STRICT = { allowPrivate: false, allowHttp: false };
const OPEN = { allowPrivate: true, allowHttp: true };
const NOT_ALLOWED = expect.objectContaining({ name: 'UrlNotAllowed', code: 'url_not_allowed' });

describe('a URL', () => {
  it.each(FORBIDDEN_HOSTS)('is not allowed with the host %s', (host) => {
    for (const url of [`https://${host}/`, `https://${host}:8443/x`]) {
      expect(() => assertAllowedUrl(url, STRICT)).toThrow(NOT_ALLOWED);
    }
  });

  it.each(FORBIDDEN_URLS)('is not allowed as %j', (url) => {
    expect(() => assertAllowedUrl(url, STRICT)).toThrow(NOT_ALLOWED);
  });

  it.each(ALLOWED_URLS)('is allowed as %s', (url, href) => {
    expect(assertAllowedUrl(url, STRICT).href).toBe(href);
    // What was allowed once is when it is read again.
    expect(assertAllowedUrl(href, STRICT).href).toBe(href);
  });

  it('may be of http only where that is allowed', () => {
    expect(() => assertAllowedUrl('http://example.com/', STRICT)).toThrow('only an https URL');
    const rules = { allowPrivate: false, allowHttp: true };
    expect(assertAllowedUrl('http://example.com/', rules).protocol).toBe('http:');
    expect(assertAllowedUrl('https://example.com/', rules).protocol).toBe('https:');
    expect(() => assertAllowedUrl('http://127.0.0.1/', rules)).toThrow('not a public one');
    expect(() => assertAllowedUrl('ftp://example.com/', rules)).toThrow(NOT_ALLOWED);
  });

  it.each([
    'http://localhost:4000/hook',
    'http://127.0.0.1:4000/',
    'http://[::1]:4000/',
    'http://192.168.1.1/',
    'http://receiver:8080/',
    'http://host.docker.internal/',
  ])('of this network is allowed where private ones are: %s', (url) => {
    expect(assertAllowedUrl(url, OPEN).href).toBe(url);
    expect(() => assertAllowedUrl(url, { ...STRICT, allowHttp: true })).toThrow(NOT_ALLOWED);
  });

  it('says why in words that name no address', () => {
    const reasons = [...FORBIDDEN_HOSTS.map((host) => `https://${host}/`), ...FORBIDDEN_URLS].map(
      (url) => {
        try {
          assertAllowedUrl(url, STRICT);
        } catch (error) {
          if (error instanceof Error) return error.message;
        }
        return 'nothing';
      },
    );
    for (const reason of reasons) expect(reason).toMatch(/^[a-z ]{10,}$/i);
  });
});

describe('an address', () => {
  it.each(ALLOWED_ADDRESSES)('is public: %s', (address) => {
    expect(isAllowedAddress(address, false)).toBe(true);
    expect(isAllowedAddress(address, true)).toBe(true);
  });

  it.each(PRIVATE_ADDRESSES)('is allowed only where private ones are: %s', (address) => {
    expect(isAllowedAddress(address, false)).toBe(false);
    expect(isAllowedAddress(address, true)).toBe(true);
  });

  it.each(ALWAYS_FORBIDDEN)('is never allowed: %j', (address) => {
    expect(isAllowedAddress(address, false)).toBe(false);
    expect(isAllowedAddress(address, true)).toBe(false);
  });
});

describe('a name', () => {
  const asked: string[] = [];
  const answering = (addresses: string[]) => async (name: string) => {
    asked.push(name);
    return addresses;
  };
  const target = (addresses: string[], rules = STRICT) =>
    assertAllowedTarget('https://example.com/hook', rules, answering(addresses));

  it.each([
    ...ALWAYS_FORBIDDEN.map((address) => [address]),
    ...PRIVATE_ADDRESSES.map((address) => [address]),
    ['1.1.1.1', '10.0.0.1'],
    ['10.0.0.1', '1.1.1.1'],
    ['2606:4700::1', '::1'],
    ['1.1.1.1', '2606:4700::1', '1.0.0.1', '::ffff:7f00:1'],
  ])('is not allowed when it resolves to %j %j %j %j', async (...addresses) => {
    await expect(target(addresses.filter((one) => one !== undefined))).rejects.toThrow(
      'its host has an address that is not a public one',
    );
  });

  it('is allowed when all its addresses are', async () => {
    expect((await target(ALLOWED_ADDRESSES)).href).toBe('https://example.com/hook');
    expect((await target(PRIVATE_ADDRESSES, OPEN)).href).toBe('https://example.com/hook');
    await expect(target(['169.254.169.254'], OPEN)).rejects.toThrow(NOT_ALLOWED);
  });

  it('is allowed when it does not resolve now, or not in time', async () => {
    const failing = () => Promise.reject(new Error('ENOTFOUND'));
    const hanging = () => new Promise<string[]>(() => undefined);
    for (const resolve of [failing, hanging, answering([])]) {
      const url = await assertAllowedTarget('https://example.com/', STRICT, resolve);
      expect(url.href).toBe('https://example.com/');
    }
  });

  it('is not asked for when the URL says enough', async () => {
    asked.length = 0;
    const resolve = answering(['1.1.1.1']);
    for (const url of ['https://10.0.0.1/', 'https://[::1]/', 'https://a.localhost/']) {
      await expect(assertAllowedTarget(url, STRICT, resolve)).rejects.toThrow(NOT_ALLOWED);
    }
    await assertAllowedTarget('https://8.8.8.8/', STRICT, resolve);
    expect(asked).toEqual([]);
  });
});
