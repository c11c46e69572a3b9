import Type from 'typebox';
import { Id, Nullable, pageQuery, Query, Timestamp } from '../../schemas.ts';

export const Reconciliation = Type.Object({
  id: Id,
  startedAt: Timestamp,
  endedAt: Nullable(Timestamp),
  eventsFound: Type.Integer({ description: 'Events that no webhook had told by then' }),
  depositsMended: Type.Integer({
    description: 'Deposits of which Stripe told something new when it was asked',
  }),
  seenUntil: Type.Integer({
    description: 'The next round looks for events since then: seconds of the epoch',
  }),
  error: Nullable(
    Type.String({ description: 'Why it did not come to its end; the next one does the rest' }),
  ),
});

export const ReconciliationQuery = Query(pageQuery);
