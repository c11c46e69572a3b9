import { createPayments } from '@gatehouse/payments/client';
import type { Payments } from '@gatehouse/payments/payments';
import type { PaymentSettings } from '@gatehouse/payments/settings';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    /** Null without a key for the payment provider. */
    payments: Payments | null;
  }
}

export default fp<PaymentSettings>(
  async (app, settings) => {
    app.decorate('payments', createPayments(settings, app.log));
  },
  { name: 'payments' },
);
