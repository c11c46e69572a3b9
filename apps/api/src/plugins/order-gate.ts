import { isDatabaseUnavailable } from '@gatehouse/db/errors';
import { GroupCommit } from '@gatehouse/db/group-commit';
import { type Acceptance, acceptOrders } from '@gatehouse/db/order-acceptance';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Accepts an order, its answer and its job in one commit, shared with the orders that arrive meanwhile, and
     * hands the job to BullMQ. False when the account has used the `clientOrderId` before: nothing is written.
     *
     * @throws when the idempotency key has its answer already (`isKeyTaken`), or the database is away
     */
    acceptOrder(acceptance: Acceptance): Promise<boolean>;
  }
}

/** Large enough that the commit is a small part of the cost of an order, small enough to stay in milliseconds. */
const MAX_BATCH = 200;

export default fp(
  async (app) => {
    const gate = new GroupCommit<Acceptance, boolean>({
      maxBatch: MAX_BATCH,
      isFaultOfOne: (error) => !isDatabaseUnavailable(error),
      commit: async (batch) => {
        const accepted = await acceptOrders(app.db, batch);
        app.jobs.dispatch(
          batch.filter(({ order }) => accepted.has(order.id)).map(({ job }) => job),
        );
        return batch.map(({ order }) => accepted.has(order.id));
      },
    });
    app.decorate('acceptOrder', (acceptance) => gate.add(acceptance));
  },
  { name: 'order-gate', dependencies: ['database', 'jobs'] },
);
