-- AlterTable
ALTER TABLE "position" ALTER COLUMN "quantity" SET DATA TYPE DECIMAL(28,6);
