import type { JobState, StoredJob } from '@gatehouse/db/dead-letters';
import { QUEUES } from '@gatehouse/jobs/definition';
import Type from 'typebox';
import { Body, Id, Nullable, pageQuery, Query, Text, Timestamp } from '../../schemas.ts';

const STATES = ['waiting', 'dispatched', 'dead'] as const satisfies JobState[];

const State = Type.Enum([...STATES], {
  description:
    '`waiting` for its time or for a retry, `dispatched` to a worker, or `dead`: its attempts are used up',
});
const Queue = Type.Enum([...QUEUES]);

export const Job = Type.Object({
  id: Id,
  // Text, and not one of QUEUES: a row outlives the version that knows its queue.
  queue: Type.String({ examples: ['mail'] }),
  name: Type.String({ examples: ['send-email'] }),
  subjectId: Type.String({ description: 'What the job is about: an order, a task, a mail' }),
  payload: Type.Unsafe<StoredJob['payload']>({
    type: 'object',
    additionalProperties: { type: 'string' },
  }),
  state: State,
  priority: Type.Integer({ description: 'From 0, which goes first, to 9' }),
  groupKey: Nullable(
    Type.String({ description: 'Jobs of a queue with the same key run one at a time, in order' }),
  ),
  attempts: Type.Integer({ description: 'Attempts that failed, since the last redrive' }),
  generation: Type.Integer({ description: 'How often it was dispatched anew' }),
  lastError: Nullable(Type.String()),
  requestId: Nullable(Type.String({ description: 'The request that caused it' })),
  runAt: Timestamp,
  createdAt: Timestamp,
  dispatchedAt: Timestamp,
});

export const JobQuery = Query({
  ...pageQuery,
  state: Type.Optional(State),
  queue: Type.Optional(Queue),
});

/** What one request redrives at most: a transaction ends within seconds. */
export const REDRIVEN_AT_MOST = 50_000;

export const BulkRedrive = Body({
  queue: Queue,
  name: Type.Optional(Text(1, 100)),
  dryRun: Type.Boolean({ default: false, description: 'Only count what would be redriven' }),
});

export const BulkRedriven = Type.Object({
  matched: Type.Integer({ description: 'How many were dead' }),
  redriven: Type.Integer({
    description: `At most ${REDRIVEN_AT_MOST} at a time: while it is less than \`matched\`, ask again under a new key`,
  }),
});
