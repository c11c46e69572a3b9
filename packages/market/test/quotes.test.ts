import { until } from '@gatehouse/testing/condition';
import { type Script, scriptedServer } from '@gatehouse/testing/scripted-server';
import { describe, expect, test } from 'vitest';
import { type AlpacaQuotesOptions, createAlpacaQuotes } from '../src/alpaca/quotes.ts';
import { clientOf, failureOf, fakeAlpaca, patienceFor } from './parts.ts';

const NOW = new Date();
const T = '2026-11-20T15:59:59.123456789Z';

function snapshot(quote: object = {}, trade: object = {}): { status: number; body: object } {
  const latestQuote = { bp: 187.41, ap: 187.43, bs: 2, as: 3, t: T, ax: 'V', ...quote };
  return { status: 200, body: { latestQuote, latestTrade: { p: 187.42, s: 100, ...trade } } };
}

async function quotesOf(options?: AlpacaQuotesOptions, ...scripts: [Script, ...Script[]]) {
  const server = await scriptedServer(...scripts);
  const client = clientOf(server.url, { ...patienceFor(scripts[0]), retries: 0 });
  return { server, quotes: createAlpacaQuotes(client, options) };
}

test('a quote is the top of the book and the latest trade, to the digit', async () => {
  const { server, quotes } = await quotesOf({}, snapshot());
  expect(JSON.parse(JSON.stringify(await quotes.quote('AAPL', NOW)))).toEqual({
    symbol: 'AAPL',
    bid: '187.41',
    ask: '187.43',
    last: '187.42',
    bidSize: '2',
    askSize: '3',
    asOf: '2026-11-20T15:59:59.123Z',
    source: 'alpaca',
  });
  expect(server.requests.map(({ path }) => path)).toEqual(['/v2/stocks/AAPL/snapshot']);
});

test('quotes come with the keys, by symbol, a class of shares among them', async () => {
  const alpaca = await fakeAlpaca();
  alpaca.setPrice('BRK.B', '480.10', '480.20');
  const quotes = createAlpacaQuotes(clientOf(alpaca.url, {}, alpaca.keys));
  const { symbol, bid, ask } = await quotes.quote('BRK.B', NOW);
  expect([symbol, `${bid}`, `${ask}`]).toEqual(['BRK.B', '480.1', '480.2']);
  expect(`${(await quotes.quote('AAPL', NOW)).ask}`).toBe('100');
  const strangers = createAlpacaQuotes(clientOf(alpaca.url));
  expect((await failureOf(strangers.quote('AAPL', NOW))).message).toMatch(/401/);
});

test('a symbol is one part of the path, whatever it is', async () => {
  const { server, quotes } = await quotesOf({}, snapshot());
  await quotes.quote('../A?b#c', NOW);
  expect(server.requests.map(({ path }) => path)).toEqual(['/v2/stocks/..%2FA%3Fb%23c/snapshot']);
});

describe('a symbol has no quote', () => {
  test.each<[what: string, Script]>([
    ['it is not known', { status: 404, body: { message: 'not found' } }],
    ['it is not a symbol', { status: 400, body: { message: 'invalid symbol' } }],
    ['nobody has ever quoted it', { status: 200, body: { symbol: 'ZZZZ', latestTrade: { p: 1 } } }],
    ['nobody has ever traded it', { status: 200, body: { ...snapshot().body, latestTrade: null } }],
    ['nobody buys', snapshot({ bp: 0, bs: 0 })],
    ['nobody sells', snapshot({ ap: 0, as: 0 })],
    ['its time is none', snapshot({ t: 'noon' })],
  ])('when %s', async (_, script) => {
    const { quotes } = await quotesOf({}, script);
    const failure = await failureOf(quotes.quote('ZZZZ', NOW));
    expect([failure.name, failure.message]).toEqual([
      'NoQuote',
      expect.stringMatching(/^Alpaca has no quote of ZZZZ/),
    ]);
  });
});

test.each<[what: string, Script]>([
  ['fails', { status: 500 }],
  ['hangs', 'hang'],
  ['has no time', { status: 429 }],
  ['answers nonsense', { status: 200, body: '<html>' }],
])('a source that %s is away for a while', async (_, script) => {
  const { quotes } = await quotesOf({}, script);
  expect(await failureOf(quotes.quote('AAPL', NOW))).toMatchObject({
    name: 'BrokerUnavailable',
    retryInMs: expect.any(Number),
  });
});

describe('those who ask for quotes', () => {
  test('at once share one request for each symbol', async () => {
    const { server, quotes } = await quotesOf({ keepMs: 0 }, snapshot());
    const symbols = ['A', 'B', 'A', 'A', 'B'];
    const all = await Promise.all(symbols.map((symbol) => quotes.quote(symbol, NOW)));
    expect(all.map(({ symbol }) => symbol)).toEqual(symbols);
    expect(server.requests.map(({ path }) => path).sort()).toEqual([
      '/v2/stocks/A/snapshot',
      '/v2/stocks/B/snapshot',
    ]);
  });

  test('get the one that is kept, and a new one when its time is up', async () => {
    const kept = await quotesOf({ keepMs: 60_000 }, snapshot({ bp: 1 }), snapshot({ bp: 2 }));
    for (let call = 0; call < 3; call += 1) {
      expect(`${(await kept.quotes.quote('A', NOW)).bid}`).toBe('1');
    }
    const brief = await quotesOf({ keepMs: 20 }, snapshot({ bp: 1 }), snapshot({ bp: 2 }));
    expect(`${(await brief.quotes.quote('A', NOW)).bid}`).toBe('1');
    await until(async () => (await brief.quotes.quote('A', NOW)).bid.eq(2), {
      what: 'a new quote',
    });
  });

  test('share a failure, which is not kept', async () => {
    const { server, quotes } = await quotesOf({ keepMs: 60_000 }, { status: 500 }, snapshot());
    const failures = await Promise.all([1, 2].map(() => failureOf(quotes.quote('A', NOW))));
    expect(failures[0]).toBe(failures[1]);
    expect(`${(await quotes.quote('A', NOW)).bid}`).toBe('187.41');
    expect(server.requests).toHaveLength(2);
  });

  test('for ever more symbols push the oldest out', async () => {
    const { server, quotes } = await quotesOf({ keepMs: 60_000, symbols: 2 }, snapshot());
    for (const symbol of ['A', 'B', 'A', 'B', 'C', 'B', 'C', 'A']) await quotes.quote(symbol, NOW);
    expect(server.requests.map(({ path }) => path.split('/')[3])).toEqual(['A', 'B', 'C', 'A']);
  });
});
