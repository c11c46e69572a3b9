-- AlterTable
ALTER TABLE "job" ADD COLUMN     "group_key" TEXT,
ADD COLUMN     "priority" SMALLINT NOT NULL DEFAULT 0,
ADD COLUMN     "sequence" BIGSERIAL NOT NULL;

-- CreateTable
CREATE TABLE "queue_pause" (
    "queue" TEXT NOT NULL,
    "paused_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "queue_pause_pkey" PRIMARY KEY ("queue")
);

ALTER TABLE "job" ADD CONSTRAINT "job_priority_range" CHECK ("priority" BETWEEN 0 AND 9);

-- What the relay looks for: due jobs by priority, and the first job of each group.
DROP INDEX "job_waiting_idx";
CREATE INDEX "job_waiting_idx" ON "job" ("queue", "priority", "run_at") WHERE "state" = 'waiting' AND "group_key" IS NULL;
CREATE INDEX "job_group_idx" ON "job" ("queue", "group_key", "sequence") WHERE "group_key" IS NOT NULL AND "state" <> 'dead';

-- Of a group one job at a time, whatever the relays do.
CREATE UNIQUE INDEX "job_group_dispatched_key" ON "job" ("queue", "group_key") WHERE "group_key" IS NOT NULL AND "state" = 'dispatched';
