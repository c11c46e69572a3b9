import { BROKERS } from '@gatehouse/domain/broker';
import Type, { type Static, type TObject } from 'typebox';

export const QUOTE_SOURCES = ['simulated', 'alpaca'] as const;

/** No path: the client has its own, and a key is one word. */
const ORIGIN = '^https?://[^/?#@]+$';
const KEY = '^[\\x21-\\x7e]*$';

/** The settings of whoever trades or quotes, for its own schema to include. {@link alpacaSettings} checks them together. */
export const marketSettings = {
  BROKER: Type.Enum([...BROKERS], { default: 'paper' }),
  QUOTES: Type.Enum([...QUOTE_SOURCES], { default: 'simulated' }),
  ALPACA_KEY_ID: Type.String({ default: '', pattern: KEY }),
  ALPACA_SECRET_KEY: Type.String({ default: '', pattern: KEY }),
  ALPACA_TRADING_URL: Type.String({
    default: 'https://paper-api.alpaca.markets',
    pattern: ORIGIN,
  }),
  ALPACA_DATA_URL: Type.String({ default: 'https://data.alpaca.markets', pattern: ORIGIN }),
};

export type MarketSettings = Static<TObject<typeof marketSettings>>;

const KEYS = ['ALPACA_KEY_ID', 'ALPACA_SECRET_KEY'] as const;
const USES = ['BROKER', 'QUOTES'] as const;

export interface AlpacaSettings {
  readonly keyId: string;
  readonly secretKey: string;
  readonly tradingUrl: string;
  readonly dataUrl: string;
}

/**
 * What is needed to reach Alpaca; null when no keys are given and nothing needs them.
 *
 * @throws one error that names the keys that are missing: both when something needs them, the other one when only one
 * is given. It repeats no value.
 */
export function alpacaSettings(settings: MarketSettings): AlpacaSettings | null {
  const { ALPACA_KEY_ID: keyId, ALPACA_SECRET_KEY: secretKey } = settings;
  const keys = { ALPACA_KEY_ID: keyId, ALPACA_SECRET_KEY: secretKey };
  const missing = KEYS.filter((name) => keys[name] === '');
  if (missing.length === 0) {
    return {
      keyId,
      secretKey,
      tradingUrl: settings.ALPACA_TRADING_URL,
      dataUrl: settings.ALPACA_DATA_URL,
    };
  }
  const reasons = [
    ...USES.filter((name) => settings[name] === 'alpaca').map((name) => `${name}=alpaca`),
    ...KEYS.filter((name) => keys[name] !== ''),
  ];
  if (reasons.length === 0) return null;
  throw new Error(`${reasons.join(' and ')} cannot be used without ${missing.join(' and ')}`);
}
