-- CreateEnum
CREATE TYPE "deposit_status" AS ENUM ('creating', 'pending', 'failed', 'canceled', 'succeeded');

-- CreateEnum
CREATE TYPE "dispute_status" AS ENUM ('open', 'lost', 'won');

-- CreateEnum
CREATE TYPE "stripe_event_status" AS ENUM ('received', 'processed', 'ignored', 'refused');

-- CreateEnum
CREATE TYPE "stripe_event_source" AS ENUM ('webhook', 'reconciliation');

-- AlterEnum
-- This migration adds more than one value to an enum.
-- With PostgreSQL versions 11 and earlier, this is not possible
-- in a single migration. This can be worked around by creating
-- multiple migrations, each migration adding only one value to
-- the enum.


ALTER TYPE "ledger_kind" ADD VALUE 'deposit';
ALTER TYPE "ledger_kind" ADD VALUE 'refund';
ALTER TYPE "ledger_kind" ADD VALUE 'refund_reversal';
ALTER TYPE "ledger_kind" ADD VALUE 'dispute';
ALTER TYPE "ledger_kind" ADD VALUE 'dispute_reversal';

-- AlterEnum
ALTER TYPE "ledger_name" ADD VALUE 'payable';

-- AlterTable
ALTER TABLE "idempotency_record" ADD COLUMN     "recovery_point" UUID;

-- AlterTable
ALTER TABLE "account" ADD COLUMN     "owed" DECIMAL(20,2) NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "deposit" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "amount" INTEGER NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "status" "deposit_status" NOT NULL DEFAULT 'creating',
    "payment_intent_id" TEXT,
    "received_amount" INTEGER NOT NULL DEFAULT 0,
    "refunded_amount" INTEGER NOT NULL DEFAULT 0,
    "failed_refund_amount" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "asked_at" TIMESTAMPTZ(3),
    "succeeded_at" TIMESTAMPTZ(3),

    CONSTRAINT "deposit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deposit_dispute" (
    "id" TEXT NOT NULL,
    "deposit_id" UUID NOT NULL,
    "amount" INTEGER NOT NULL,
    "status" "dispute_status" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "deposit_dispute_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deposit_movement" (
    "id" UUID NOT NULL,
    "deposit_id" UUID NOT NULL,
    "kind" "ledger_kind" NOT NULL,
    "amount" INTEGER NOT NULL,
    "dispute_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "deposit_movement_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stripe_event" (
    "id" UUID NOT NULL,
    "event_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "livemode" BOOLEAN NOT NULL,
    "source" "stripe_event_source" NOT NULL DEFAULT 'webhook',
    "status" "stripe_event_status" NOT NULL DEFAULT 'received',
    "outcome" TEXT,
    "payload" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processed_at" TIMESTAMPTZ(3),

    CONSTRAINT "stripe_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stripe_reconciliation" (
    "id" UUID NOT NULL,
    "seen_until" INTEGER NOT NULL,
    "events_found" INTEGER NOT NULL DEFAULT 0,
    "deposits_mended" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "stripe_reconciliation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "request_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "deposit_payment_intent_id_key" ON "deposit"("payment_intent_id");

-- CreateIndex
CREATE INDEX "deposit_account_id_id_idx" ON "deposit"("account_id", "id" DESC);

-- CreateIndex
CREATE INDEX "deposit_dispute_deposit_id_idx" ON "deposit_dispute"("deposit_id");

-- CreateIndex
CREATE INDEX "deposit_movement_deposit_id_idx" ON "deposit_movement"("deposit_id");

-- CreateIndex
CREATE UNIQUE INDEX "stripe_event_event_id_key" ON "stripe_event"("event_id");

-- CreateIndex
CREATE INDEX "stripe_event_status_id_idx" ON "stripe_event"("status", "id" DESC);

-- CreateIndex
CREATE INDEX "event_account_id_id_idx" ON "event"("account_id", "id");

-- AddForeignKey
ALTER TABLE "deposit" ADD CONSTRAINT "deposit_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deposit_dispute" ADD CONSTRAINT "deposit_dispute_deposit_id_fkey" FOREIGN KEY ("deposit_id") REFERENCES "deposit"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deposit_movement" ADD CONSTRAINT "deposit_movement_deposit_id_fkey" FOREIGN KEY ("deposit_id") REFERENCES "deposit"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deposit_movement" ADD CONSTRAINT "deposit_movement_dispute_id_fkey" FOREIGN KEY ("dispute_id") REFERENCES "deposit_dispute"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "event" ADD CONSTRAINT "event_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What a reconciliation asks Stripe about.
CREATE INDEX "deposit_unsettled_idx" ON "deposit" ("asked_at" NULLS FIRST) WHERE "status" IN ('pending', 'failed');

-- What must never be.
ALTER TABLE "account" ADD CONSTRAINT "account_owed_not_negative" CHECK ("owed" >= 0);
ALTER TABLE "deposit"
  ADD CONSTRAINT "deposit_amounts" CHECK (
    "amount" > 0 AND "received_amount" >= 0 AND "refunded_amount" >= 0 AND "failed_refund_amount" >= 0),
  ADD CONSTRAINT "deposit_succeeded_with_time" CHECK (("status" = 'succeeded') = ("succeeded_at" IS NOT NULL)),
  ADD CONSTRAINT "deposit_known_to_stripe" CHECK ("status" IN ('creating', 'canceled') OR "payment_intent_id" IS NOT NULL);
ALTER TABLE "deposit_movement"
  ADD CONSTRAINT "deposit_movement_positive" CHECK ("amount" > 0),
  ADD CONSTRAINT "deposit_movement_of_a_dispute" CHECK (
    ("kind" IN ('dispute', 'dispute_reversal')) = ("dispute_id" IS NOT NULL));
ALTER TABLE "deposit_dispute" ADD CONSTRAINT "deposit_dispute_positive" CHECK ("amount" > 0);
