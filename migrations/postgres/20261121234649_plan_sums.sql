-- +goose Up
-- modify "budget_plans" table
ALTER TABLE "budget_plans" ADD COLUMN "planned_count" bigint NOT NULL DEFAULT 0, ADD COLUMN "forecast_count" bigint NOT NULL DEFAULT 0, ADD COLUMN "actual_count" bigint NOT NULL DEFAULT 0, ADD COLUMN "comparable_count" bigint NOT NULL DEFAULT 0, ADD COLUMN "variance_total" bigint NULL;
-- what the plans there are keep of their lines
UPDATE "budget_plans" SET (planned_count, forecast_count, actual_count, comparable_count, variance_total) = (
  SELECT COUNT(l.planned_total), COUNT(l.forecast_total), COUNT(l.actual_total), COUNT(l.planned_total + l.actual_total), CAST(SUM(l.actual_total - l.planned_total) AS bigint)
  FROM "budget_lines" l WHERE l.plan_id = "budget_plans".id AND l.archived_at IS NULL);

-- +goose Down
-- reverse: modify "budget_plans" table
ALTER TABLE "budget_plans" DROP COLUMN "variance_total", DROP COLUMN "comparable_count", DROP COLUMN "actual_count", DROP COLUMN "forecast_count", DROP COLUMN "planned_count";
