-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_budget_plans" table
CREATE TABLE `new_budget_plans` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `fiscal_year` integer NOT NULL, `period_length` text NOT NULL DEFAULT ('MONTH'), `currency` text NOT NULL DEFAULT ('CAD'), `status` text NOT NULL DEFAULT ('DRAFT'), `version_no` integer NOT NULL DEFAULT (1), `current` bool NOT NULL DEFAULT (true), `reason` text NOT NULL DEFAULT (''), `submitted_by` text NULL, `planned_total` integer NULL, `forecast_total` integer NULL, `actual_total` integer NULL, `line_count` integer NOT NULL DEFAULT (0), `planned_count` integer NOT NULL DEFAULT (0), `forecast_count` integer NOT NULL DEFAULT (0), `actual_count` integer NOT NULL DEFAULT (0), `comparable_count` integer NOT NULL DEFAULT (0), `variance_total` integer NULL, `revision_of_id` text NULL, `portfolio_id` text NOT NULL, `product_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `budget_plans_budget_plans_revisions` FOREIGN KEY (`revision_of_id`) REFERENCES `budget_plans` (`id`) ON DELETE SET NULL, CONSTRAINT `budget_plans_portfolios_budget_plans` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `budget_plans_products_budget_plans` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "budget_plans" to new temporary table "new_budget_plans"
INSERT INTO `new_budget_plans` (`id`, `version`, `created_at`, `created_by`, `updated_at`, `updated_by`, `custom`, `key`, `archived_at`, `origin`, `source`, `external_id`, `name`, `fiscal_year`, `period_length`, `currency`, `status`, `version_no`, `current`, `reason`, `submitted_by`, `planned_total`, `forecast_total`, `actual_total`, `line_count`, `revision_of_id`, `portfolio_id`, `product_id`) SELECT `id`, `version`, `created_at`, `created_by`, `updated_at`, `updated_by`, `custom`, `key`, `archived_at`, `origin`, `source`, `external_id`, `name`, `fiscal_year`, `period_length`, `currency`, `status`, `version_no`, `current`, `reason`, `submitted_by`, `planned_total`, `forecast_total`, `actual_total`, `line_count`, `revision_of_id`, `portfolio_id`, `product_id` FROM `budget_plans`;
-- drop "budget_plans" table after copying rows
DROP TABLE `budget_plans`;
-- rename temporary table "new_budget_plans" to "budget_plans"
ALTER TABLE `new_budget_plans` RENAME TO `budget_plans`;
-- create index "budget_plans_key_key" to table: "budget_plans"
CREATE UNIQUE INDEX `budget_plans_key_key` ON `budget_plans` (`key`);
-- create index "budgetplan_source_external_id" to table: "budget_plans"
CREATE UNIQUE INDEX `budgetplan_source_external_id` ON `budget_plans` (`source`, `external_id`);
-- create index "budgetplan_portfolio_id_name_id" to table: "budget_plans"
CREATE INDEX `budgetplan_portfolio_id_name_id` ON `budget_plans` (`portfolio_id`, `name`, `id`);
-- create index "budgetplan_portfolio_id_fiscal_year" to table: "budget_plans"
CREATE INDEX `budgetplan_portfolio_id_fiscal_year` ON `budget_plans` (`portfolio_id`, `fiscal_year`);
-- create index "budgetplan_product_id" to table: "budget_plans"
CREATE INDEX `budgetplan_product_id` ON `budget_plans` (`product_id`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
-- what the plans there are keep of their lines
UPDATE "budget_plans" SET (planned_count, forecast_count, actual_count, comparable_count, variance_total) = (
  SELECT COUNT(l.planned_total), COUNT(l.forecast_total), COUNT(l.actual_total), COUNT(l.planned_total + l.actual_total), CAST(SUM(l.actual_total - l.planned_total) AS bigint)
  FROM "budget_lines" l WHERE l.plan_id = "budget_plans".id AND l.archived_at IS NULL);

-- +goose Down
-- reverse: create index "budgetplan_product_id" to table: "budget_plans"
DROP INDEX `budgetplan_product_id`;
-- reverse: create index "budgetplan_portfolio_id_fiscal_year" to table: "budget_plans"
DROP INDEX `budgetplan_portfolio_id_fiscal_year`;
-- reverse: create index "budgetplan_portfolio_id_name_id" to table: "budget_plans"
DROP INDEX `budgetplan_portfolio_id_name_id`;
-- reverse: create index "budgetplan_source_external_id" to table: "budget_plans"
DROP INDEX `budgetplan_source_external_id`;
-- reverse: create index "budget_plans_key_key" to table: "budget_plans"
DROP INDEX `budget_plans_key_key`;
-- reverse: create "new_budget_plans" table
DROP TABLE `new_budget_plans`;
