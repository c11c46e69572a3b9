import { newId } from '@gatehouse/domain/id';
import { addDeadJobs } from '@gatehouse/testing/dead-jobs';
import { addStripeEvents } from '../stripe-events.ts';
import type { Ask, KeyedRoute, Kit } from './keyed-route.ts';

/** Paths of two dead jobs, with the given end. */
async function deadJobs({ db }: Kit, end: string): Promise<{ ask: Ask; other: Ask }> {
  await db.job.deleteMany({ where: { state: 'dead' } });
  const [first, second] = await addDeadJobs(db, 2);
  return {
    ask: { path: `/v1/admin/jobs/${first}/${end}` },
    other: { path: `/v1/admin/jobs/${second}/${end}` },
  };
}

/** Paths of two events from Stripe that are processed. */
async function stripeEvents({ db }: Kit): Promise<{ ask: Ask; other: Ask }> {
  const [first, second] = await addStripeEvents(db, 2);
  const path = (id?: string) => `/v1/admin/stripe-events/${id}/replay`;
  return { ask: { path: path(first) }, other: { path: path(second) } };
}

export const ADMIN: readonly KeyedRoute[] = [
  {
    method: 'POST',
    route: '/v1/admin/jobs/:id/redrive',
    role: 'admin',
    status: 202,
    effect: ['INSERT audit_entry', 'UPDATE job'],
    prepare: (kit) => deadJobs(kit, 'redrive'),
    refused: { path: `/v1/admin/jobs/${newId()}/redrive`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/jobs/:id/cancel',
    role: 'admin',
    status: 202,
    effect: ['DELETE job', 'INSERT audit_entry'],
    prepare: (kit) => deadJobs(kit, 'cancel'),
    refused: { path: `/v1/admin/jobs/${newId()}/cancel`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/stripe-events/:id/replay',
    role: 'admin',
    status: 202,
    effect: ['INSERT audit_entry', 'INSERT job'],
    prepare: stripeEvents,
    refused: { path: `/v1/admin/stripe-events/${newId()}/replay`, status: 404 },
  },
  {
    method: 'POST',
    route: '/v1/admin/jobs/redrive',
    role: 'admin',
    status: 200,
    effect: ['INSERT audit_entry', 'UPDATE job', 'UPDATE job'],
    prepare: async (kit) => {
      await deadJobs(kit, 'redrive');
      const path = '/v1/admin/jobs/redrive';
      return {
        ask: { path, body: { queue: 'mail', name: 'send-email' } },
        other: { path, body: { queue: 'mail' } },
      };
    },
    respell: { dryRun: false },
  },
];
