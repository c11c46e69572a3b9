-- CreateEnum
CREATE TYPE "email_outcome" AS ENUM ('accepted', 'deferred', 'refused');

-- CreateEnum
CREATE TYPE "webhook_disabled_reason" AS ENUM ('owner', 'gone', 'failing', 'deactivated');

-- CreateEnum
CREATE TYPE "webhook_delivery_status" AS ENUM ('pending', 'succeeded', 'failed', 'canceled');

-- CreateEnum
CREATE TYPE "webhook_replay_status" AS ENUM ('running', 'succeeded', 'canceled');

-- AlterEnum
ALTER TYPE "email_status" ADD VALUE 'failed';
ALTER TYPE "email_status" ADD VALUE 'suppressed';

-- DropIndex
DROP INDEX "event_account_id_id_idx";

-- AlterTable
ALTER TABLE "event" ADD COLUMN     "insertion" BIGSERIAL NOT NULL,
ADD COLUMN     "only_endpoint_id" UUID,
ADD COLUMN     "seq" BIGINT,
ALTER COLUMN "data" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "is_single" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "email" ADD COLUMN     "unsubscribe_token" UUID;

-- CreateTable
CREATE TABLE "event_log" (
    "id" SMALLINT NOT NULL DEFAULT 1,
    "last_seq" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "event_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "email_attempt" (
    "email_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "outcome" "email_outcome" NOT NULL,
    "reply_code" SMALLINT,
    "reply" TEXT,
    "duration_ms" INTEGER NOT NULL,

    CONSTRAINT "email_attempt_pkey" PRIMARY KEY ("email_id","id")
);

-- CreateTable
CREATE TABLE "email_suppression" (
    "address" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "email_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "email_suppression_pkey" PRIMARY KEY ("address")
);

-- CreateTable
CREATE TABLE "email_opt_out" (
    "account_id" UUID NOT NULL,
    "category" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "email_opt_out_pkey" PRIMARY KEY ("account_id","category")
);

-- CreateTable
CREATE TABLE "webhook_endpoint" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "description" TEXT,
    "event_types" TEXT[],
    "rate_limit_per_second" INTEGER,
    "max_concurrency" SMALLINT NOT NULL,
    "ordered" BOOLEAN NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "previous_sealed_secret" BYTEA,
    "previous_secret_expires_at" TIMESTAMPTZ(3),
    "disabled_reason" "webhook_disabled_reason",
    "disabled_at" TIMESTAMPTZ(3),
    "last_sequence" BIGINT NOT NULL DEFAULT 0,
    "failing_since" TIMESTAMPTZ(3),
    "last_failed_at" TIMESTAMPTZ(3),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "paused_until" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_endpoint_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_subscription" (
    "id" UUID NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "event_types" TEXT[],
    "after_seq" BIGINT NOT NULL,
    "until_seq" BIGINT,

    CONSTRAINT "webhook_subscription_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_delivery" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "event_id" UUID NOT NULL,
    "sequence" BIGINT NOT NULL,
    "status" "webhook_delivery_status" NOT NULL DEFAULT 'pending',
    "attempts" SMALLINT NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3),
    "replay_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_attempt" (
    "delivery_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "status_code" SMALLINT,
    "duration_ms" INTEGER NOT NULL,
    "error" TEXT,
    "response_body" TEXT,

    CONSTRAINT "webhook_attempt_pkey" PRIMARY KEY ("delivery_id","id")
);

-- CreateTable
CREATE TABLE "webhook_replay" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,
    "only_failed" BOOLEAN NOT NULL,
    "status" "webhook_replay_status" NOT NULL DEFAULT 'running',
    "position" BIGINT NOT NULL,
    "end_seq" BIGINT NOT NULL,
    "total" INTEGER NOT NULL,
    "examined" INTEGER NOT NULL DEFAULT 0,
    "scheduled" INTEGER NOT NULL DEFAULT 0,
    "request_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_replay_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "email_unsubscribe_token_key" ON "email"("unsubscribe_token");

-- CreateIndex
CREATE INDEX "email_suppression_created_at_idx" ON "email_suppression"("created_at" DESC);

-- CreateIndex
CREATE INDEX "webhook_endpoint_account_id_id_idx" ON "webhook_endpoint"("account_id", "id" DESC);

-- CreateIndex
CREATE INDEX "webhook_subscription_endpoint_id_idx" ON "webhook_subscription"("endpoint_id");

-- CreateIndex
CREATE INDEX "webhook_delivery_endpoint_id_id_idx" ON "webhook_delivery"("endpoint_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "webhook_delivery_event_id_endpoint_id_key" ON "webhook_delivery"("event_id", "endpoint_id");

-- CreateIndex
CREATE INDEX "webhook_replay_endpoint_id_id_idx" ON "webhook_replay"("endpoint_id", "id" DESC);

-- CreateIndex
CREATE INDEX "event_account_id_seq_idx" ON "event"("account_id", "seq");

-- AddForeignKey
ALTER TABLE "event" ADD CONSTRAINT "event_only_endpoint_id_fkey" FOREIGN KEY ("only_endpoint_id") REFERENCES "webhook_endpoint"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "email_attempt" ADD CONSTRAINT "email_attempt_email_id_fkey" FOREIGN KEY ("email_id") REFERENCES "email"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "email_opt_out" ADD CONSTRAINT "email_opt_out_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_endpoint" ADD CONSTRAINT "webhook_endpoint_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_subscription" ADD CONSTRAINT "webhook_subscription_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoint"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_delivery" ADD CONSTRAINT "webhook_delivery_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoint"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_delivery" ADD CONSTRAINT "webhook_delivery_event_id_fkey" FOREIGN KEY ("event_id") REFERENCES "event"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_delivery" ADD CONSTRAINT "webhook_delivery_replay_id_fkey" FOREIGN KEY ("replay_id") REFERENCES "webhook_replay"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_attempt" ADD CONSTRAINT "webhook_attempt_delivery_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "webhook_delivery"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_replay" ADD CONSTRAINT "webhook_replay_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoint"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- How far the log goes.
INSERT INTO "event_log" DEFAULT VALUES;
ALTER TABLE "event_log" ADD CONSTRAINT "event_log_one_row" CHECK ("id" = 1);

-- What the publisher looks for, the log, and what an account reads of one type. An insert pays for the first of them only.
CREATE INDEX "event_unpublished_idx" ON "event" ("insertion") WHERE "seq" IS NULL;
CREATE UNIQUE INDEX "event_seq_key" ON "event" ("seq") WHERE "seq" IS NOT NULL;
CREATE INDEX "event_of_type_idx" ON "event" ("account_id", "type", "seq") WHERE "seq" IS NOT NULL;

-- What refers to an endpoint that is to be forgotten.
CREATE INDEX "event_of_endpoint_idx" ON "event" ("only_endpoint_id") WHERE "only_endpoint_id" IS NOT NULL;

-- Whoever creates and deletes endpoints all day makes nothing slower.
CREATE INDEX "webhook_endpoint_living_idx" ON "webhook_endpoint" ("account_id", "id" DESC) WHERE "deleted_at" IS NULL;

-- What is due next, at an endpoint in any order and at one that wants them in theirs.
CREATE INDEX "webhook_delivery_due_idx" ON "webhook_delivery" ("endpoint_id", "next_attempt_at", "sequence")
  WHERE "status" = 'pending';
CREATE INDEX "webhook_delivery_order_idx" ON "webhook_delivery" ("endpoint_id", "sequence") WHERE "status" = 'pending';
CREATE INDEX "webhook_delivery_undone_idx" ON "webhook_delivery" ("endpoint_id", "status", "id" DESC)
  WHERE "status" IN ('failed', 'canceled');
CREATE INDEX "webhook_delivery_retried_idx" ON "webhook_delivery" ("endpoint_id", "id" DESC)
  WHERE "status" = 'pending' AND "attempts" > 0;
CREATE INDEX "webhook_delivery_replay_idx" ON "webhook_delivery" ("replay_id", "status") WHERE "replay_id" IS NOT NULL;

-- Of each name one job for a row, whoever asks for it.
CREATE UNIQUE INDEX "job_single_key" ON "job" ("name", "subject_id") WHERE "is_single";

-- What must never be.
CREATE UNIQUE INDEX "webhook_subscription_open_key" ON "webhook_subscription" ("endpoint_id") WHERE "until_seq" IS NULL;
ALTER TABLE "webhook_subscription"
  ADD CONSTRAINT "webhook_subscription_forward" CHECK ("until_seq" >= "after_seq");
ALTER TABLE "webhook_endpoint"
  ADD CONSTRAINT "webhook_endpoint_disabled_with_time" CHECK (("disabled_reason" IS NULL) = ("disabled_at" IS NULL)),
  ADD CONSTRAINT "webhook_endpoint_failing_with_count" CHECK (("failing_since" IS NULL) = ("failures" = 0)),
  ADD CONSTRAINT "webhook_endpoint_limits" CHECK ("rate_limit_per_second" > 0 AND "max_concurrency" > 0),
  ADD CONSTRAINT "webhook_endpoint_previous_secret_ends" CHECK (
    ("previous_sealed_secret" IS NULL) = ("previous_secret_expires_at" IS NULL));
ALTER TABLE "webhook_delivery"
  ADD CONSTRAINT "webhook_delivery_pending_with_time" CHECK (
    ("status" = 'pending') = ("next_attempt_at" IS NOT NULL) AND ("status" = 'pending') = ("ended_at" IS NULL)),
  ADD CONSTRAINT "webhook_delivery_counts" CHECK ("attempts" >= 0 AND "sequence" > 0);
ALTER TABLE "webhook_replay"
  ADD CONSTRAINT "webhook_replay_ended_with_time" CHECK (("status" = 'running') = ("ended_at" IS NULL)),
  ADD CONSTRAINT "webhook_replay_counts" CHECK (0 <= "scheduled" AND "scheduled" <= "examined");
