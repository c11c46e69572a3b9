import { startFakeAlpaca } from './alpaca.ts';

/**
 * A fake Alpaca to try Gatehouse with: `node packages/testing/src/alpaca-process.ts`, and the lines that it prints into
 * `.env`. It fills at once, keeps its orders in memory, and ends with Ctrl-C.
 */
const { url, keys, close } = await startFakeAlpaca();
console.log(`BROKER=alpaca
QUOTES=alpaca
ALPACA_KEY_ID=${keys.keyId}
ALPACA_SECRET_KEY=${keys.secretKey}
ALPACA_TRADING_URL=${url}
ALPACA_DATA_URL=${url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => close());
