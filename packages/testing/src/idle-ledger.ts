import { createJobLedger, type JobLedger } from '@gatehouse/jobs/ledger';

/** A ledger that hands nothing over: what is owed is in Postgres only. */
export function createIdleLedger(): JobLedger {
  return createJobLedger({
    accepts: () => false,
    dispatch: () => undefined,
    drain: async () => undefined,
    room: async () => 0,
  });
}
