-- AlterEnum
ALTER TYPE "email_status" ADD VALUE 'canceled';

-- For the newest dead jobs of all queues: "job_dead_idx" has those of one. Only dead rows pay for it.
CREATE INDEX "job_dead_newest_idx" ON "job" ("id" DESC) WHERE "state" = 'dead';
