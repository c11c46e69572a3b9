-- AlterTable
ALTER TABLE "order" ADD COLUMN     "broker" TEXT,
ADD COLUMN     "hold_price" DECIMAL(10,4);

-- Until now there was no other.
UPDATE "order" SET "broker" = 'paper' WHERE "broker_order_id" IS NOT NULL;

ALTER TABLE "order"
  ADD CONSTRAINT "order_at_a_broker" CHECK ("status" NOT IN ('submitted', 'partially_filled', 'unknown') OR "broker" IS NOT NULL),
  ADD CONSTRAINT "order_hold_price_positive" CHECK ("hold_price" > 0);

-- What holds cash or shares: orders that a broker has, or may have. An order has no broker before it is taken to one.
DROP INDEX "order_resting_by_account_idx";
CREATE INDEX "order_at_broker_idx" ON "order" ("account_id", "symbol")
  WHERE "broker" IS NOT NULL AND "status" IN ('accepted', 'submitted', 'partially_filled', 'unknown');
