import { readSettings } from '@gatehouse/domain/settings';
import { simulatedQuotes } from '@gatehouse/domain/simulated-quotes';
import Type from 'typebox';
import { expect, onTestFinished, test } from 'vitest';
import { createBroker } from '../src/brokers.ts';
import { createQuoteSource } from '../src/quote-sources.ts';
import { alpacaSettings, marketSettings } from '../src/settings.ts';
import { ALWAYS, buy, fakeAlpaca } from './parts.ts';

const read = (environment: Record<string, string>) =>
  readSettings(Type.Object(marketSettings), environment);
const KEYS = { ALPACA_KEY_ID: 'PKSECRET', ALPACA_SECRET_KEY: 's3cret' };

test('without any, orders are filled on paper at simulated quotes', () => {
  expect(read({})).toMatchObject({ BROKER: 'paper', QUOTES: 'simulated' });
  expect(alpacaSettings(read({}))).toBeNull();
  expect(createBroker(read({}))).toBeNull();
});

test('real money is never the default', () => {
  expect(alpacaSettings(read(KEYS))).toEqual({
    keyId: 'PKSECRET',
    secretKey: 's3cret',
    tradingUrl: 'https://paper-api.alpaca.markets',
    dataUrl: 'https://data.alpaca.markets',
  });
});

test.each([
  [
    { BROKER: 'alpaca' },
    'BROKER=alpaca cannot be used without ALPACA_KEY_ID and ALPACA_SECRET_KEY',
  ],
  [
    { BROKER: 'alpaca', QUOTES: 'alpaca', ALPACA_KEY_ID: '', ALPACA_SECRET_KEY: 's3cret' },
    'BROKER=alpaca and QUOTES=alpaca and ALPACA_SECRET_KEY cannot be used without ALPACA_KEY_ID',
  ],
  [{ QUOTES: 'alpaca', ALPACA_KEY_ID: 'PKSECRET' }, /^QUOTES=alpaca .* without ALPACA_SECRET_KEY$/],
  [{ ALPACA_KEY_ID: 'PKSECRET' }, 'ALPACA_KEY_ID cannot be used without ALPACA_SECRET_KEY'],
])('%j is refused', (environment, message) => {
  for (const use of [alpacaSettings, createBroker, createQuoteSource]) {
    expect(() => use(read(environment))).toThrow(message);
    expect(() => use(read(environment))).not.toThrow(/s3cret|PKSECRET/);
  }
});

test.each([
  ['BROKER', 'etrade'],
  ['QUOTES', 'guess'],
  ['ALPACA_KEY_ID', 'two words'],
  ['ALPACA_SECRET_KEY', 'a\nheader: b'],
  ['ALPACA_TRADING_URL', 'https://paper-api.alpaca.markets/v2'],
  ['ALPACA_TRADING_URL', 'https://user:s3cret@alpaca.markets'],
  ['ALPACA_DATA_URL', 'data.alpaca.markets'],
])('%s cannot be %j', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(name);
  expect(() => read({ [name]: value })).not.toThrow(value);
});

test('every process sees the same simulated market', async () => {
  const at = new Date('2026-11-20T08:00:00.000Z');
  const source = createQuoteSource(read({}));
  expect(await source.quote('AAPL', at)).toEqual(
    await simulatedQuotes('gatehouse').quote('AAPL', at),
  );
  await source.close();
});

test('keys and addresses reach Alpaca, and orders of before a switch to paper are followed', async () => {
  const alpaca = await fakeAlpaca();
  const settings = {
    ALPACA_KEY_ID: alpaca.keys.keyId,
    ALPACA_SECRET_KEY: alpaca.keys.secretKey,
    ALPACA_TRADING_URL: alpaca.url,
    ALPACA_DATA_URL: alpaca.url,
  };
  const broker = createBroker(read({ ...settings, BROKER: 'paper' }));
  onTestFinished(() => broker?.close());
  await broker?.submit(buy('a'), ALWAYS);
  expect(alpaca.orders()).toMatchObject([{ clientOrderId: 'a' }]);

  alpaca.setPrice('AAPL', '5.00', '5.01');
  const quotes = createQuoteSource(read({ ...settings, QUOTES: 'alpaca' }));
  const { bid, source } = await quotes.quote('AAPL', new Date());
  expect([`${bid}`, source]).toEqual(['5', 'alpaca']);
  await quotes.close();
  await expect(quotes.quote('MSFT', new Date())).rejects.toThrow('Alpaca');
});
