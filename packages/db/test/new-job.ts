import { newId } from '@gatehouse/domain/id';
import type { NewJob } from '../src/jobs.ts';

/** A job that is due at once; `changes` replace members. */
export function newJob(changes: Partial<NewJob> = {}): NewJob {
  return {
    id: newId(),
    queue: 'mail',
    name: 'send-email',
    subjectId: newId(),
    payload: {},
    state: 'waiting',
    runAt: null,
    delayMs: 0,
    priority: 0,
    groupKey: null,
    requestId: null,
    ...changes,
  };
}
