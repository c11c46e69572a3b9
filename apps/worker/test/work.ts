import { defineJob, type JobDefinition } from '@gatehouse/jobs/definition';
import Type from 'typebox';
import { type JobContext, processJob } from '../src/processor.ts';
import type { Work } from '../src/worker.ts';

const payload = Type.Object({ subjectId: Type.String(), title: Type.String() });
export type TestJob = JobDefinition<typeof payload>;
type Handle = (title: string, context: JobContext) => Promise<void>;

/** A job of a test's own, with a title to know it by. Three attempts, close upon each other. */
export function testJob(changes: Partial<Omit<TestJob, 'kind'>> = {}): TestJob {
  return defineJob({
    name: 'test',
    queue: 'tasks',
    payload,
    subject: 'subjectId',
    retry: { attempts: 3, backoffMs: 50, maxBackoffMs: 50 },
    ...changes,
  });
}

/** Work that is these jobs and nothing else. */
export function testWork(...jobs: readonly (readonly [TestJob, Handle])[]): Work {
  return {
    catalogue: jobs.map(([definition]) => definition),
    createProcessors: () =>
      jobs.map(([definition, handle]) =>
        processJob(definition, ({ title }, context) => handle(title, context)),
      ),
  };
}

/** Does nothing but settle. */
export const justSettle = ({ settle }: JobContext): Promise<boolean> =>
  settle(async () => undefined);
