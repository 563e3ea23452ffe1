-- +goose Up
-- create index "budgetline_name_id" to table: "budget_lines"
CREATE INDEX `budgetline_name_id` ON `budget_lines` (`name`, `id`);
-- create index "contract_name_id" to table: "contracts"
CREATE INDEX `contract_name_id` ON `contracts` (`name`, `id`);
-- create index "contractterm_name_id" to table: "contract_terms"
CREATE INDEX `contractterm_name_id` ON `contract_terms` (`name`, `id`);
-- create index "environment_name_id" to table: "environments"
CREATE INDEX `environment_name_id` ON `environments` (`name`, `id`);
-- create index "initiative_name_id" to table: "initiatives"
CREATE INDEX `initiative_name_id` ON `initiatives` (`name`, `id`);
-- create index "keyresult_name_id" to table: "key_results"
CREATE INDEX `keyresult_name_id` ON `key_results` (`name`, `id`);
-- create index "objective_name_id" to table: "objectives"
CREATE INDEX `objective_name_id` ON `objectives` (`name`, `id`);
-- create index "procurement_name_id" to table: "procurements"
CREATE INDEX `procurement_name_id` ON `procurements` (`name`, `id`);
-- create index "product_name_id" to table: "products"
CREATE INDEX `product_name_id` ON `products` (`name`, `id`);
-- create index "budgetplan_name_id" to table: "budget_plans"
CREATE INDEX `budgetplan_name_id` ON `budget_plans` (`name`, `id`);

-- +goose Down
-- reverse: create index "budgetplan_name_id" to table: "budget_plans"
DROP INDEX `budgetplan_name_id`;
-- reverse: create index "product_name_id" to table: "products"
DROP INDEX `product_name_id`;
-- reverse: create index "procurement_name_id" to table: "procurements"
DROP INDEX `procurement_name_id`;
-- reverse: create index "objective_name_id" to table: "objectives"
DROP INDEX `objective_name_id`;
-- reverse: create index "keyresult_name_id" to table: "key_results"
DROP INDEX `keyresult_name_id`;
-- reverse: create index "initiative_name_id" to table: "initiatives"
DROP INDEX `initiative_name_id`;
-- reverse: create index "environment_name_id" to table: "environments"
DROP INDEX `environment_name_id`;
-- reverse: create index "contractterm_name_id" to table: "contract_terms"
DROP INDEX `contractterm_name_id`;
-- reverse: create index "contract_name_id" to table: "contracts"
DROP INDEX `contract_name_id`;
-- reverse: create index "budgetline_name_id" to table: "budget_lines"
DROP INDEX `budgetline_name_id`;
