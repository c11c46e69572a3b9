import { ADMIN } from './keyed-routes/admin.ts';
import { API_KEYS } from './keyed-routes/api-keys.ts';
import type { KeyedRoute } from './keyed-routes/keyed-route.ts';
import { TASKS } from './keyed-routes/tasks.ts';
import { TRADING } from './keyed-routes/trading.ts';
import { USERS } from './keyed-routes/users.ts';
import { WEBHOOK_DELIVERIES } from './keyed-routes/webhook-deliveries.ts';
import { WEBHOOK_ENDPOINTS } from './keyed-routes/webhook-endpoints.ts';

/** Every keyed route. `idempotency-routes.test.ts` holds it against the gateway's own route table. */
export const KEYED_ROUTES: readonly KeyedRoute[] = [
  ...TRADING,
  ...TASKS,
  ...WEBHOOK_ENDPOINTS,
  ...WEBHOOK_DELIVERIES,
  ...API_KEYS,
  ...USERS,
  ...ADMIN,
];
