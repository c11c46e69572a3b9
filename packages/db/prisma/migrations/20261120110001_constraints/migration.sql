-- What must never be, whatever the code above says. Prisma's schema has no words for it.

ALTER TABLE "account" ADD CONSTRAINT "account_cash_not_negative" CHECK ("cash" >= 0);

ALTER TABLE "order"
  ADD CONSTRAINT "order_quantity_positive" CHECK ("quantity" > 0),
  ADD CONSTRAINT "order_limit_price_iff_limit" CHECK (("type" = 'limit') = ("limit_price" IS NOT NULL)),
  ADD CONSTRAINT "order_limit_price_positive" CHECK ("limit_price" > 0),
  ADD CONSTRAINT "order_fill_within_quantity" CHECK ("filled_quantity" BETWEEN 0 AND "quantity"),
  ADD CONSTRAINT "order_filled_iff_whole" CHECK (("status" = 'filled') = ("filled_quantity" = "quantity")),
  ADD CONSTRAINT "order_rejected_with_code" CHECK (("status" = 'rejected') = ("reject_code" IS NOT NULL));

ALTER TABLE "fill"
  ADD CONSTRAINT "fill_quantity_positive" CHECK ("quantity" > 0),
  ADD CONSTRAINT "fill_price_positive" CHECK ("price" > 0);

ALTER TABLE "position"
  ADD CONSTRAINT "position_quantity_not_negative" CHECK ("quantity" >= 0),
  ADD CONSTRAINT "position_cost_basis_not_negative" CHECK ("cost_basis" >= 0);

ALTER TABLE "task" ADD CONSTRAINT "task_priority_range" CHECK ("priority" BETWEEN 0 AND 9);

ALTER TABLE "email" ADD CONSTRAINT "email_sent_with_time" CHECK (("status" = 'sent') = ("sent_at" IS NOT NULL));

ALTER TABLE "job" ADD CONSTRAINT "job_counts_not_negative" CHECK ("attempts" >= 0 AND "generation" >= 0);

-- Small indexes over what is open only: the relay, its sweep, the matching of resting orders, the holds.

CREATE INDEX "job_waiting_idx" ON "job" ("queue", "run_at") WHERE "state" = 'waiting';
CREATE INDEX "job_dispatched_idx" ON "job" ("dispatched_at") WHERE "state" = 'dispatched';
CREATE INDEX "job_dead_idx" ON "job" ("queue", "id" DESC) WHERE "state" = 'dead';
CREATE INDEX "order_resting_by_symbol_idx" ON "order" ("symbol", "id")
  WHERE "status" IN ('submitted', 'partially_filled');
CREATE INDEX "order_resting_by_account_idx" ON "order" ("account_id", "symbol")
  WHERE "status" IN ('submitted', 'partially_filled');

-- Rows of this table live for milliseconds: vacuum by number, not by share of the table.
ALTER TABLE "job" SET (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 20000
);
