import type { Broker } from '@gatehouse/domain/broker';
import { createAlpacaBroker } from './alpaca/broker.ts';
import { createAlpacaClient } from './alpaca/client.ts';
import { alpacaSettings, type MarketSettings } from './settings.ts';

/** A broker that holds connections. */
export interface OpenBroker extends Broker {
  /** The outcome of what is still under way then is unknown. */
  close(): Promise<void>;
}

/**
 * The broker outside; null when nobody gave the keys of one. It is made under `BROKER=paper` too when there are keys:
 * orders that it took before a switch are still followed.
 *
 * @throws when the keys are needed and missing, see {@link alpacaSettings}
 */
export function createBroker(settings: MarketSettings): OpenBroker | null {
  const alpaca = alpacaSettings(settings);
  if (alpaca === null) return null;
  const client = createAlpacaClient({ ...alpaca, url: alpaca.tradingUrl });
  return { ...createAlpacaBroker(client), close: client.close };
}
