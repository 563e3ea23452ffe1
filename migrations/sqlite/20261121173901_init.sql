-- +goose Up
-- create "api_tokens" table
CREATE TABLE `api_tokens` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `name` text NOT NULL DEFAULT (''), `token_hash` text NOT NULL, `hint` text NOT NULL DEFAULT (''), `roles` json NULL, `portfolios` json NULL, `all_portfolios` bool NOT NULL DEFAULT (false), `expires_at` datetime NOT NULL, `last_used_at` datetime NULL, `revoked_at` datetime NULL, `person_id` text NULL, `integration_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `api_tokens_persons_person` FOREIGN KEY (`person_id`) REFERENCES `persons` (`id`) ON DELETE SET NULL, CONSTRAINT `api_tokens_integrations_integration` FOREIGN KEY (`integration_id`) REFERENCES `integrations` (`id`) ON DELETE SET NULL);
-- create index "api_tokens_token_hash_key" to table: "api_tokens"
CREATE UNIQUE INDEX `api_tokens_token_hash_key` ON `api_tokens` (`token_hash`);
-- create index "apitoken_person_id" to table: "api_tokens"
CREATE INDEX `apitoken_person_id` ON `api_tokens` (`person_id`);
-- create index "apitoken_integration_id" to table: "api_tokens"
CREATE INDEX `apitoken_integration_id` ON `api_tokens` (`integration_id`);
-- create "audit_heads" table
CREATE TABLE `audit_heads` (`id` text NOT NULL, `seal_id` integer NOT NULL, `hash` text NOT NULL, `sealed_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create "audit_seals" table
CREATE TABLE `audit_seals` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `change_id` text NOT NULL, `hash` text NOT NULL, `sealed_at` datetime NOT NULL);
-- create index "audit_seals_change_id_key" to table: "audit_seals"
CREATE UNIQUE INDEX `audit_seals_change_id_key` ON `audit_seals` (`change_id`);
-- create "budget_cells" table
CREATE TABLE `budget_cells` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `portfolio_id` text NOT NULL DEFAULT (''), `product_id` text NULL, `period` text NOT NULL, `planned` integer NULL, `forecast` integer NULL, `actual` integer NULL, `line_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `budget_cells_budget_lines_cells` FOREIGN KEY (`line_id`) REFERENCES `budget_lines` (`id`) ON DELETE RESTRICT);
-- create index "budgetcell_line_id_period" to table: "budget_cells"
CREATE UNIQUE INDEX `budgetcell_line_id_period` ON `budget_cells` (`line_id`, `period`);
-- create index "budgetcell_portfolio_id_period_id" to table: "budget_cells"
CREATE INDEX `budgetcell_portfolio_id_period_id` ON `budget_cells` (`portfolio_id`, `period`, `id`);
-- create "budget_lines" table
CREATE TABLE `budget_lines` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `portfolio_id` text NOT NULL DEFAULT (''), `product_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `code` text NOT NULL DEFAULT (''), `group_name` text NOT NULL DEFAULT (''), `position` integer NOT NULL DEFAULT (0), `category` text NULL, `cost_class` text NULL, `coding` json NULL, `unit` text NOT NULL DEFAULT (''), `quantity_planned` integer NULL, `quantity_actual` integer NULL, `outlook` json NULL, `note` text NOT NULL DEFAULT (''), `planned_total` integer NULL, `forecast_total` integer NULL, `actual_total` integer NULL, `plan_id` text NOT NULL, `contract_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `budget_lines_budget_plans_lines` FOREIGN KEY (`plan_id`) REFERENCES `budget_plans` (`id`) ON DELETE RESTRICT, CONSTRAINT `budget_lines_contracts_budget_lines` FOREIGN KEY (`contract_id`) REFERENCES `contracts` (`id`) ON DELETE RESTRICT);
-- create index "budgetline_source_external_id" to table: "budget_lines"
CREATE UNIQUE INDEX `budgetline_source_external_id` ON `budget_lines` (`source`, `external_id`);
-- create index "budgetline_portfolio_id_name_id" to table: "budget_lines"
CREATE INDEX `budgetline_portfolio_id_name_id` ON `budget_lines` (`portfolio_id`, `name`, `id`);
-- create index "budgetline_plan_id_position_id" to table: "budget_lines"
CREATE INDEX `budgetline_plan_id_position_id` ON `budget_lines` (`plan_id`, `position`, `id`);
-- create "budget_plans" table
CREATE TABLE `budget_plans` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `fiscal_year` integer NOT NULL, `period_length` text NOT NULL DEFAULT ('MONTH'), `currency` text NOT NULL DEFAULT ('CAD'), `status` text NOT NULL DEFAULT ('DRAFT'), `version_no` integer NOT NULL DEFAULT (1), `current` bool NOT NULL DEFAULT (true), `reason` text NOT NULL DEFAULT (''), `submitted_by` text NULL, `planned_total` integer NULL, `forecast_total` integer NULL, `actual_total` integer NULL, `line_count` integer NOT NULL DEFAULT (0), `revision_of_id` text NULL, `portfolio_id` text NOT NULL, `product_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `budget_plans_budget_plans_revisions` FOREIGN KEY (`revision_of_id`) REFERENCES `budget_plans` (`id`) ON DELETE SET NULL, CONSTRAINT `budget_plans_portfolios_budget_plans` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `budget_plans_products_budget_plans` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE RESTRICT);
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
-- create "capabilities" table
CREATE TABLE `capabilities` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `parent_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `capabilities_capabilities_children` FOREIGN KEY (`parent_id`) REFERENCES `capabilities` (`id`) ON DELETE SET NULL);
-- create index "capability_source_external_id" to table: "capabilities"
CREATE UNIQUE INDEX `capability_source_external_id` ON `capabilities` (`source`, `external_id`);
-- create index "capability_name_id" to table: "capabilities"
CREATE INDEX `capability_name_id` ON `capabilities` (`name`, `id`);
-- create "change_events" table
CREATE TABLE `change_events` (`id` text NOT NULL, `at` datetime NOT NULL, `op` text NOT NULL, `entity_type` text NOT NULL, `entity_id` text NOT NULL, `entity_version` integer NOT NULL DEFAULT (0), `portfolio_id` text NULL, `product_id` text NULL, `vendor_id` text NULL, `actor_kind` text NOT NULL, `actor_id` text NOT NULL DEFAULT (''), `actor_name` text NOT NULL DEFAULT (''), `via` text NOT NULL, `token_id` text NOT NULL DEFAULT (''), `on_behalf_of` text NOT NULL DEFAULT (''), `request_id` text NOT NULL DEFAULT (''), `change_set` text NOT NULL DEFAULT (''), `undoes` text NOT NULL DEFAULT (''), `reason` text NOT NULL DEFAULT (''), `diff` json NULL, `tx_id` integer NULL DEFAULT (0), PRIMARY KEY (`id`));
-- create index "changeevent_entity_id_id" to table: "change_events"
CREATE INDEX `changeevent_entity_id_id` ON `change_events` (`entity_id`, `id`);
-- create index "changeevent_change_set" to table: "change_events"
CREATE INDEX `changeevent_change_set` ON `change_events` (`change_set`);
-- create index "changeevent_portfolio_id_id" to table: "change_events"
CREATE INDEX `changeevent_portfolio_id_id` ON `change_events` (`portfolio_id`, `id`);
-- create "check_ins" table
CREATE TABLE `check_ins` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `portfolio_id` text NOT NULL DEFAULT (''), `product_id` text NULL, `on` date NOT NULL, `value` integer NOT NULL, `confidence_bp` integer NOT NULL, `comment` text NOT NULL DEFAULT (''), `key_result_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `check_ins_key_results_check_ins` FOREIGN KEY (`key_result_id`) REFERENCES `key_results` (`id`) ON DELETE RESTRICT);
-- create index "checkin_portfolio_id_on_id" to table: "check_ins"
CREATE INDEX `checkin_portfolio_id_on_id` ON `check_ins` (`portfolio_id`, `on`, `id`);
-- create index "checkin_key_result_id_on" to table: "check_ins"
CREATE INDEX `checkin_key_result_id_on` ON `check_ins` (`key_result_id`, `on`);
-- create "client_accounts" table
CREATE TABLE `client_accounts` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `risk` text NOT NULL DEFAULT ('LOW'), `live_on` date NULL, `contact` text NOT NULL DEFAULT (''), `note` text NOT NULL DEFAULT (''), `organization_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `client_accounts_organizations_clients` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE RESTRICT);
-- create index "client_accounts_key_key" to table: "client_accounts"
CREATE UNIQUE INDEX `client_accounts_key_key` ON `client_accounts` (`key`);
-- create index "clientaccount_source_external_id" to table: "client_accounts"
CREATE UNIQUE INDEX `clientaccount_source_external_id` ON `client_accounts` (`source`, `external_id`);
-- create index "clientaccount_name_id" to table: "client_accounts"
CREATE INDEX `clientaccount_name_id` ON `client_accounts` (`name`, `id`);
-- create "comments" table
CREATE TABLE `comments` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `subject_type` text NOT NULL, `subject_id` text NOT NULL, `portfolio_id` text NULL, `product_id` text NULL, `vendor_id` text NULL, `author_id` text NOT NULL DEFAULT (''), `author_name` text NOT NULL DEFAULT (''), `body` text NOT NULL, PRIMARY KEY (`id`));
-- create index "comment_subject_id_created_at_id" to table: "comments"
CREATE INDEX `comment_subject_id_created_at_id` ON `comments` (`subject_id`, `created_at`, `id`);
-- create "components" table
CREATE TABLE `components` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `summary` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('SERVICE'), `lifecycle` text NOT NULL DEFAULT ('EXPERIMENTAL'), `repo_url` text NOT NULL DEFAULT (''), `release` text NOT NULL DEFAULT (''), `support_ends_on` date NULL, `team_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `components_teams_components` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE RESTRICT);
-- create index "components_key_key" to table: "components"
CREATE UNIQUE INDEX `components_key_key` ON `components` (`key`);
-- create index "component_source_external_id" to table: "components"
CREATE UNIQUE INDEX `component_source_external_id` ON `components` (`source`, `external_id`);
-- create index "component_name_id" to table: "components"
CREATE INDEX `component_name_id` ON `components` (`name`, `id`);
-- create "contracts" table
CREATE TABLE `contracts` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `reference` text NOT NULL DEFAULT (''), `framework_reference` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('SUPPORT'), `status` text NOT NULL DEFAULT ('DRAFT'), `published_status` text NOT NULL DEFAULT (''), `pricing_model` text NOT NULL DEFAULT (''), `competed` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `value` integer NULL, `ceiling` integer NULL, `currency` text NOT NULL DEFAULT ('CAD'), `start_on` date NULL, `initial_months` integer NULL, `end_on` date NULL, `renewal_mode` text NOT NULL DEFAULT ('NONE'), `renewal_months` integer NULL, `notice_months` integer NOT NULL DEFAULT (0), `decision_lead_days` integer NOT NULL DEFAULT (30), `notice_by_on` date NULL, `decide_by_on` date NULL, `support_hours` text NOT NULL DEFAULT (''), `framework_id` text NULL, `portfolio_id` text NOT NULL, `vendor_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `contracts_contracts_call_offs` FOREIGN KEY (`framework_id`) REFERENCES `contracts` (`id`) ON DELETE SET NULL, CONSTRAINT `contracts_portfolios_contracts` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `contracts_vendors_contracts` FOREIGN KEY (`vendor_id`) REFERENCES `vendors` (`id`) ON DELETE RESTRICT);
-- create index "contracts_key_key" to table: "contracts"
CREATE UNIQUE INDEX `contracts_key_key` ON `contracts` (`key`);
-- create index "contract_source_external_id" to table: "contracts"
CREATE UNIQUE INDEX `contract_source_external_id` ON `contracts` (`source`, `external_id`);
-- create index "contract_portfolio_id_name_id" to table: "contracts"
CREATE INDEX `contract_portfolio_id_name_id` ON `contracts` (`portfolio_id`, `name`, `id`);
-- create index "contract_vendor_id" to table: "contracts"
CREATE INDEX `contract_vendor_id` ON `contracts` (`vendor_id`);
-- create index "contract_portfolio_id_decide_by_on" to table: "contracts"
CREATE INDEX `contract_portfolio_id_decide_by_on` ON `contracts` (`portfolio_id`, `decide_by_on`);
-- create index "contract_reference" to table: "contracts"
CREATE INDEX `contract_reference` ON `contracts` (`reference`);
-- create "contract_terms" table
CREATE TABLE `contract_terms` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `portfolio_id` text NOT NULL DEFAULT (''), `vendor_id` text NULL, `name` text NOT NULL, `from` date NULL, `until` date NULL, `price` integer NULL, `currency` text NOT NULL DEFAULT ('CAD'), `ended_reason` text NOT NULL DEFAULT (''), `contract_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `contract_terms_contracts_terms` FOREIGN KEY (`contract_id`) REFERENCES `contracts` (`id`) ON DELETE RESTRICT);
-- create index "contractterm_portfolio_id_name_id" to table: "contract_terms"
CREATE INDEX `contractterm_portfolio_id_name_id` ON `contract_terms` (`portfolio_id`, `name`, `id`);
-- create index "contractterm_contract_id" to table: "contract_terms"
CREATE INDEX `contractterm_contract_id` ON `contract_terms` (`contract_id`);
-- create "custom_fields" table
CREATE TABLE `custom_fields` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `entity` text NOT NULL, `code` text NOT NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('TEXT'), `choices` json NULL, `required` bool NOT NULL DEFAULT (false), `help` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "customfield_entity_code" to table: "custom_fields"
CREATE UNIQUE INDEX `customfield_entity_code` ON `custom_fields` (`entity`, `code`);
-- create "cycles" table
CREATE TABLE `cycles` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `start_on` date NOT NULL, `end_on` date NOT NULL, `grading_ends_on` date NULL, `check_in_days` integer NOT NULL DEFAULT (14), PRIMARY KEY (`id`));
-- create "dependencies" table
CREATE TABLE `dependencies` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `direction` text NOT NULL DEFAULT ('UPSTREAM'), `strength` text NOT NULL DEFAULT ('HARD'), `contact` text NOT NULL DEFAULT (''), `product_id` text NULL, `component_id` text NULL, `on_component_id` text NULL, `organization_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `dependencies_products_product` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE RESTRICT, CONSTRAINT `dependencies_components_component` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE RESTRICT, CONSTRAINT `dependencies_components_on_component` FOREIGN KEY (`on_component_id`) REFERENCES `components` (`id`) ON DELETE RESTRICT, CONSTRAINT `dependencies_organizations_organization` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE RESTRICT);
-- create index "dependency_name_id" to table: "dependencies"
CREATE INDEX `dependency_name_id` ON `dependencies` (`name`, `id`);
-- create index "dependency_product_id" to table: "dependencies"
CREATE INDEX `dependency_product_id` ON `dependencies` (`product_id`);
-- create "environments" table
CREATE TABLE `environments` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `kind` text NOT NULL DEFAULT ('DEV'), `region` text NOT NULL DEFAULT (''), `url` text NOT NULL DEFAULT (''), `blue_green` bool NOT NULL DEFAULT (false), `active_slot` text NULL, `onboarding_status` text NOT NULL DEFAULT (''), `owner_id` text NULL, `portfolio_id` text NOT NULL, `product_id` text NULL, `vendor_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `environments_persons_owner` FOREIGN KEY (`owner_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `environments_portfolios_environments` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `environments_products_environments` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE RESTRICT, CONSTRAINT `environments_vendors_environments` FOREIGN KEY (`vendor_id`) REFERENCES `vendors` (`id`) ON DELETE RESTRICT);
-- create index "environments_key_key" to table: "environments"
CREATE UNIQUE INDEX `environments_key_key` ON `environments` (`key`);
-- create index "environment_source_external_id" to table: "environments"
CREATE UNIQUE INDEX `environment_source_external_id` ON `environments` (`source`, `external_id`);
-- create index "environment_portfolio_id_name_id" to table: "environments"
CREATE INDEX `environment_portfolio_id_name_id` ON `environments` (`portfolio_id`, `name`, `id`);
-- create index "environment_product_id" to table: "environments"
CREATE INDEX `environment_product_id` ON `environments` (`product_id`);
-- create index "environment_vendor_id" to table: "environments"
CREATE INDEX `environment_vendor_id` ON `environments` (`vendor_id`);
-- create "fiscal_periods" table
CREATE TABLE `fiscal_periods` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `fiscal_year` integer NOT NULL, `period` text NOT NULL, `length` text NOT NULL DEFAULT ('MONTH'), `status` text NOT NULL DEFAULT ('OPEN'), `closed_on` date NULL, `portfolio_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `fiscal_periods_portfolios_fiscal_periods` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT);
-- create index "fiscalperiod_portfolio_id_period_length" to table: "fiscal_periods"
CREATE UNIQUE INDEX `fiscalperiod_portfolio_id_period_length` ON `fiscal_periods` (`portfolio_id`, `period`, `length`);
-- create "idempotency_keys" table
CREATE TABLE `idempotency_keys` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `owner` text NOT NULL, `idempotency_key` text NOT NULL, `request_hash` text NOT NULL, `response` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "idempotencykey_owner_idempotency_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_owner_idempotency_key` ON `idempotency_keys` (`owner`, `idempotency_key`);
-- create index "idempotencykey_created_at" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_created_at` ON `idempotency_keys` (`created_at`);
-- create "import_batches" table
CREATE TABLE `import_batches` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `format` text NOT NULL, `files` json NULL, `change_set` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('APPLIED'), `report` json NULL, `portfolio_id` text NULL, `actor_name` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "importbatch_change_set" to table: "import_batches"
CREATE INDEX `importbatch_change_set` ON `import_batches` (`change_set`);
-- create index "importbatch_portfolio_id_created_at_id" to table: "import_batches"
CREATE INDEX `importbatch_portfolio_id_created_at_id` ON `import_batches` (`portfolio_id`, `created_at`, `id`);
-- create "initiatives" table
CREATE TABLE `initiatives` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `summary` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('MAJOR'), `status` text NOT NULL DEFAULT ('DRAFT'), `published_status` text NOT NULL DEFAULT (''), `start_on` date NULL, `planned_end_on` date NULL, `projected_end_on` date NULL, `actual_end_on` date NULL, `planned` integer NULL, `projected` integer NULL, `actual` integer NULL, `lifecycle_cost` integer NULL, `currency` text NOT NULL DEFAULT ('CAD'), `sponsor_id` text NULL, `portfolio_id` text NOT NULL, `product_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `initiatives_persons_sponsor` FOREIGN KEY (`sponsor_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `initiatives_portfolios_initiatives` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `initiatives_products_initiatives` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE RESTRICT);
-- create index "initiatives_key_key" to table: "initiatives"
CREATE UNIQUE INDEX `initiatives_key_key` ON `initiatives` (`key`);
-- create index "initiative_source_external_id" to table: "initiatives"
CREATE UNIQUE INDEX `initiative_source_external_id` ON `initiatives` (`source`, `external_id`);
-- create index "initiative_portfolio_id_name_id" to table: "initiatives"
CREATE INDEX `initiative_portfolio_id_name_id` ON `initiatives` (`portfolio_id`, `name`, `id`);
-- create index "initiative_product_id" to table: "initiatives"
CREATE INDEX `initiative_product_id` ON `initiatives` (`product_id`);
-- create "integrations" table
CREATE TABLE `integrations` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `name` text NOT NULL, `client_id` text NULL, `purpose` text NOT NULL DEFAULT (''), `contact` text NOT NULL DEFAULT (''), `roles` json NULL, `portfolios` json NULL, `active` bool NOT NULL DEFAULT (true), `expires_at` datetime NULL, `last_used_at` datetime NULL, `owner_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `integrations_persons_owner` FOREIGN KEY (`owner_id`) REFERENCES `persons` (`id`) ON DELETE SET NULL);
-- create index "integrations_name_key" to table: "integrations"
CREATE UNIQUE INDEX `integrations_name_key` ON `integrations` (`name`);
-- create index "integrations_client_id_key" to table: "integrations"
CREATE UNIQUE INDEX `integrations_client_id_key` ON `integrations` (`client_id`);
-- create "key_counters" table
CREATE TABLE `key_counters` (`id` text NOT NULL, `next` integer NOT NULL DEFAULT (1), PRIMARY KEY (`id`));
-- create "key_results" table
CREATE TABLE `key_results` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `portfolio_id` text NOT NULL DEFAULT (''), `product_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('INCREASE'), `baseline` integer NOT NULL DEFAULT (0), `target` integer NOT NULL, `current` integer NULL, `unit` text NOT NULL DEFAULT (''), `weight` integer NOT NULL DEFAULT (1), `progress_bp` integer NULL, `confidence_bp` integer NULL, `owner_id` text NULL, `objective_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `key_results_persons_owner` FOREIGN KEY (`owner_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `key_results_objectives_key_results` FOREIGN KEY (`objective_id`) REFERENCES `objectives` (`id`) ON DELETE RESTRICT);
-- create index "keyresult_source_external_id" to table: "key_results"
CREATE UNIQUE INDEX `keyresult_source_external_id` ON `key_results` (`source`, `external_id`);
-- create index "keyresult_portfolio_id_name_id" to table: "key_results"
CREATE INDEX `keyresult_portfolio_id_name_id` ON `key_results` (`portfolio_id`, `name`, `id`);
-- create index "keyresult_objective_id" to table: "key_results"
CREATE INDEX `keyresult_objective_id` ON `key_results` (`objective_id`);
-- create "memberships" table
CREATE TABLE `memberships` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `scope` text NOT NULL, `scope_id` text NOT NULL DEFAULT (''), `level` text NOT NULL, `granted_by` text NOT NULL DEFAULT ('APP'), `reason` text NOT NULL DEFAULT (''), `until` datetime NULL, `person_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `memberships_persons_person` FOREIGN KEY (`person_id`) REFERENCES `persons` (`id`) ON DELETE NO ACTION);
-- create index "membership_person_id" to table: "memberships"
CREATE INDEX `membership_person_id` ON `memberships` (`person_id`);
-- create index "membership_scope_scope_id" to table: "memberships"
CREATE INDEX `membership_scope_scope_id` ON `memberships` (`scope`, `scope_id`);
-- create "objectives" table
CREATE TABLE `objectives` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `why` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('ASPIRATIONAL'), `status` text NOT NULL DEFAULT ('DRAFT'), `grade_bp` integer NULL, `cycle_id` text NOT NULL, `owner_id` text NULL, `parent_id` text NULL, `portfolio_id` text NOT NULL, `product_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `objectives_cycles_objectives` FOREIGN KEY (`cycle_id`) REFERENCES `cycles` (`id`) ON DELETE RESTRICT, CONSTRAINT `objectives_persons_owner` FOREIGN KEY (`owner_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `objectives_objectives_children` FOREIGN KEY (`parent_id`) REFERENCES `objectives` (`id`) ON DELETE SET NULL, CONSTRAINT `objectives_portfolios_objectives` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `objectives_products_objectives` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE RESTRICT);
-- create index "objectives_key_key" to table: "objectives"
CREATE UNIQUE INDEX `objectives_key_key` ON `objectives` (`key`);
-- create index "objective_source_external_id" to table: "objectives"
CREATE UNIQUE INDEX `objective_source_external_id` ON `objectives` (`source`, `external_id`);
-- create index "objective_portfolio_id_name_id" to table: "objectives"
CREATE INDEX `objective_portfolio_id_name_id` ON `objectives` (`portfolio_id`, `name`, `id`);
-- create index "objective_product_id" to table: "objectives"
CREATE INDEX `objective_product_id` ON `objectives` (`product_id`);
-- create index "objective_cycle_id" to table: "objectives"
CREATE INDEX `objective_cycle_id` ON `objectives` (`cycle_id`);
-- create "organizations" table
CREATE TABLE `organizations` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `code` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('MINISTRY'), `parent_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `organizations_organizations_units` FOREIGN KEY (`parent_id`) REFERENCES `organizations` (`id`) ON DELETE SET NULL);
-- create index "organization_source_external_id" to table: "organizations"
CREATE UNIQUE INDEX `organization_source_external_id` ON `organizations` (`source`, `external_id`);
-- create index "organization_name_id" to table: "organizations"
CREATE INDEX `organization_name_id` ON `organizations` (`name`, `id`);
-- create "outbox_events" table
CREATE TABLE `outbox_events` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `type` text NOT NULL, `subject_type` text NOT NULL DEFAULT (''), `subject_id` text NOT NULL DEFAULT (''), `portfolio_id` text NULL, `change_set` text NOT NULL DEFAULT (''), `payload` json NULL, `tx_id` integer NULL DEFAULT (0), PRIMARY KEY (`id`));
-- create index "outboxevent_tx_id_id" to table: "outbox_events"
CREATE INDEX `outboxevent_tx_id_id` ON `outbox_events` (`tx_id`, `id`);
-- create "persons" table
CREATE TABLE `persons` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `email` text NOT NULL DEFAULT (''), `title` text NOT NULL DEFAULT (''), `employment` text NOT NULL DEFAULT ('EMPLOYEE'), `time_zone` text NOT NULL DEFAULT ('America/Vancouver'), `language` text NOT NULL DEFAULT ('en'), `active` bool NOT NULL DEFAULT (true), `manager_id` text NULL, `vendor_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `persons_persons_reports` FOREIGN KEY (`manager_id`) REFERENCES `persons` (`id`) ON DELETE SET NULL, CONSTRAINT `persons_vendors_people` FOREIGN KEY (`vendor_id`) REFERENCES `vendors` (`id`) ON DELETE RESTRICT);
-- create index "person_source_external_id" to table: "persons"
CREATE UNIQUE INDEX `person_source_external_id` ON `persons` (`source`, `external_id`);
-- create index "person_name_id" to table: "persons"
CREATE INDEX `person_name_id` ON `persons` (`name`, `id`);
-- create index "person_vendor_id" to table: "persons"
CREATE INDEX `person_vendor_id` ON `persons` (`vendor_id`);
-- create "person_identities" table
CREATE TABLE `person_identities` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `issuer` text NOT NULL, `subject` text NOT NULL, `roles` json NULL, `unmatched_groups` json NULL, `person_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `person_identities_persons_person` FOREIGN KEY (`person_id`) REFERENCES `persons` (`id`) ON DELETE NO ACTION);
-- create index "personidentity_issuer_subject" to table: "person_identities"
CREATE UNIQUE INDEX `personidentity_issuer_subject` ON `person_identities` (`issuer`, `subject`);
-- create index "personidentity_person_id" to table: "person_identities"
CREATE INDEX `personidentity_person_id` ON `person_identities` (`person_id`);
-- create "portfolios" table
CREATE TABLE `portfolios` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `purpose` text NOT NULL DEFAULT (''), `fiscal_year_start_month` integer NOT NULL DEFAULT (4), `default_currency` text NOT NULL DEFAULT ('CAD'), `time_zone` text NOT NULL DEFAULT ('America/Vancouver'), `organization_id` text NULL, `manager_id` text NULL, `parent_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `portfolios_organizations_portfolios` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE RESTRICT, CONSTRAINT `portfolios_persons_manager` FOREIGN KEY (`manager_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `portfolios_portfolios_children` FOREIGN KEY (`parent_id`) REFERENCES `portfolios` (`id`) ON DELETE SET NULL);
-- create index "portfolios_key_key" to table: "portfolios"
CREATE UNIQUE INDEX `portfolios_key_key` ON `portfolios` (`key`);
-- create index "portfolio_source_external_id" to table: "portfolios"
CREATE UNIQUE INDEX `portfolio_source_external_id` ON `portfolios` (`source`, `external_id`);
-- create index "portfolio_name_id" to table: "portfolios"
CREATE INDEX `portfolio_name_id` ON `portfolios` (`name`, `id`);
-- create "procurements" table
CREATE TABLE `procurements` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `method` text NOT NULL DEFAULT ('OPEN'), `category` text NOT NULL DEFAULT ('SERVICES'), `status` text NOT NULL DEFAULT ('PLANNED'), `status_since` datetime NOT NULL, `estimate` integer NULL, `currency` text NOT NULL DEFAULT ('CAD'), `publish_planned_on` date NULL, `award_planned_on` date NULL, `ocid` text NOT NULL DEFAULT (''), `portfolio_id` text NOT NULL, `requester_id` text NULL, `officer_id` text NULL, `contract_id` text NULL, `product_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `procurements_portfolios_procurements` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `procurements_persons_requester` FOREIGN KEY (`requester_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `procurements_persons_officer` FOREIGN KEY (`officer_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `procurements_contracts_contract` FOREIGN KEY (`contract_id`) REFERENCES `contracts` (`id`) ON DELETE SET NULL, CONSTRAINT `procurements_products_procurements` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE RESTRICT);
-- create index "procurements_key_key" to table: "procurements"
CREATE UNIQUE INDEX `procurements_key_key` ON `procurements` (`key`);
-- create index "procurement_source_external_id" to table: "procurements"
CREATE UNIQUE INDEX `procurement_source_external_id` ON `procurements` (`source`, `external_id`);
-- create index "procurement_portfolio_id_name_id" to table: "procurements"
CREATE INDEX `procurement_portfolio_id_name_id` ON `procurements` (`portfolio_id`, `name`, `id`);
-- create index "procurement_product_id" to table: "procurements"
CREATE INDEX `procurement_product_id` ON `procurements` (`product_id`);
-- create index "procurement_portfolio_id_status" to table: "procurements"
CREATE INDEX `procurement_portfolio_id_status` ON `procurements` (`portfolio_id`, `status`);
-- create "products" table
CREATE TABLE `products` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `summary` text NOT NULL DEFAULT (''), `summary_fr` text NOT NULL DEFAULT (''), `stage` text NOT NULL DEFAULT ('IDEA'), `stage_since` date NULL, `criticality` text NULL, `public` bool NOT NULL DEFAULT (false), `time_class` text NULL, `launched_on` date NULL, `retired_on` date NULL, `portfolio_id` text NOT NULL, `owner_id` text NULL, `sponsor_id` text NULL, `team_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `products_portfolios_products` FOREIGN KEY (`portfolio_id`) REFERENCES `portfolios` (`id`) ON DELETE RESTRICT, CONSTRAINT `products_persons_owner` FOREIGN KEY (`owner_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `products_persons_sponsor` FOREIGN KEY (`sponsor_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `products_teams_products` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE RESTRICT);
-- create index "products_key_key" to table: "products"
CREATE UNIQUE INDEX `products_key_key` ON `products` (`key`);
-- create index "product_source_external_id" to table: "products"
CREATE UNIQUE INDEX `product_source_external_id` ON `products` (`source`, `external_id`);
-- create index "product_portfolio_id_name_id" to table: "products"
CREATE INDEX `product_portfolio_id_name_id` ON `products` (`portfolio_id`, `name`, `id`);
-- create index "product_team_id" to table: "products"
CREATE INDEX `product_team_id` ON `products` (`team_id`);
-- create "role_grants" table
CREATE TABLE `role_grants` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `role` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `until` datetime NULL, `person_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `role_grants_persons_person` FOREIGN KEY (`person_id`) REFERENCES `persons` (`id`) ON DELETE NO ACTION);
-- create index "rolegrant_person_id" to table: "role_grants"
CREATE INDEX `rolegrant_person_id` ON `role_grants` (`person_id`);
-- create "sessions" table
CREATE TABLE `sessions` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `token_hash` text NOT NULL, `issuer` text NOT NULL DEFAULT (''), `subject` text NOT NULL DEFAULT (''), `sid` text NOT NULL DEFAULT (''), `refresh_token` blob NULL, `id_token` blob NULL, `auth_time` datetime NOT NULL, `last_seen_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `idp_checked_at` datetime NOT NULL, `ended_at` datetime NULL, `ended_why` text NOT NULL DEFAULT (''), `user_agent` text NOT NULL DEFAULT (''), `address` text NOT NULL DEFAULT (''), `person_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `sessions_persons_person` FOREIGN KEY (`person_id`) REFERENCES `persons` (`id`) ON DELETE NO ACTION);
-- create index "sessions_token_hash_key" to table: "sessions"
CREATE UNIQUE INDEX `sessions_token_hash_key` ON `sessions` (`token_hash`);
-- create index "session_person_id" to table: "sessions"
CREATE INDEX `session_person_id` ON `sessions` (`person_id`);
-- create index "session_sid" to table: "sessions"
CREATE INDEX `session_sid` ON `sessions` (`sid`);
-- create "tags" table
CREATE TABLE `tags` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `tone` text NOT NULL DEFAULT ('NEUTRAL'), `description` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "tag_name" to table: "tags"
CREATE UNIQUE INDEX `tag_name` ON `tags` (`name`);
-- create "teams" table
CREATE TABLE `teams` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_fr` text NOT NULL DEFAULT (''), `kind` text NOT NULL DEFAULT ('DELIVERY'), `duties` text NOT NULL DEFAULT (''), `purpose` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "teams_key_key" to table: "teams"
CREATE UNIQUE INDEX `teams_key_key` ON `teams` (`key`);
-- create index "team_source_external_id" to table: "teams"
CREATE UNIQUE INDEX `team_source_external_id` ON `teams` (`source`, `external_id`);
-- create index "team_name_id" to table: "teams"
CREATE INDEX `team_name_id` ON `teams` (`name`, `id`);
-- create "team_memberships" table
CREATE TABLE `team_memberships` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `role` text NOT NULL, `share_percent` integer NOT NULL DEFAULT (100), `from` date NULL, `until` date NULL, `person_id` text NOT NULL, `team_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `team_memberships_persons_team_memberships` FOREIGN KEY (`person_id`) REFERENCES `persons` (`id`) ON DELETE RESTRICT, CONSTRAINT `team_memberships_teams_memberships` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE RESTRICT);
-- create index "teammembership_team_id" to table: "team_memberships"
CREATE INDEX `teammembership_team_id` ON `team_memberships` (`team_id`);
-- create index "teammembership_person_id" to table: "team_memberships"
CREATE INDEX `teammembership_person_id` ON `team_memberships` (`person_id`);
-- create "undo_entries" table
CREATE TABLE `undo_entries` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `token_hash` text NOT NULL, `change_set` text NOT NULL, `actor_id` text NOT NULL DEFAULT (''), `expires_at` datetime NOT NULL, `used_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "undo_entries_token_hash_key" to table: "undo_entries"
CREATE UNIQUE INDEX `undo_entries_token_hash_key` ON `undo_entries` (`token_hash`);
-- create "vendors" table
CREATE TABLE `vendors` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `key` text NOT NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `name_norm` text NOT NULL DEFAULT (''), `registration_id` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('ACTIVE'), `risk` text NULL, `website` text NOT NULL DEFAULT (''), `note` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "vendors_key_key" to table: "vendors"
CREATE UNIQUE INDEX `vendors_key_key` ON `vendors` (`key`);
-- create index "vendor_source_external_id" to table: "vendors"
CREATE UNIQUE INDEX `vendor_source_external_id` ON `vendors` (`source`, `external_id`);
-- create index "vendor_name_id" to table: "vendors"
CREATE INDEX `vendor_name_id` ON `vendors` (`name`, `id`);
-- create index "vendor_name_norm" to table: "vendors"
CREATE INDEX `vendor_name_norm` ON `vendors` (`name_norm`);
-- create "vendor_contacts" table
CREATE TABLE `vendor_contacts` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `name` text NOT NULL, `purpose` text NOT NULL DEFAULT (''), `email` text NOT NULL DEFAULT (''), `phone` text NOT NULL DEFAULT (''), `vendor_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `vendor_contacts_vendors_contacts` FOREIGN KEY (`vendor_id`) REFERENCES `vendors` (`id`) ON DELETE RESTRICT);
-- create index "vendorcontact_vendor_id_name_id" to table: "vendor_contacts"
CREATE INDEX `vendorcontact_vendor_id_name_id` ON `vendor_contacts` (`vendor_id`, `name`, `id`);
-- create "component_capabilities" table
CREATE TABLE `component_capabilities` (`component_id` text NOT NULL, `capability_id` text NOT NULL, PRIMARY KEY (`component_id`, `capability_id`), CONSTRAINT `component_capabilities_component_id` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE CASCADE, CONSTRAINT `component_capabilities_capability_id` FOREIGN KEY (`capability_id`) REFERENCES `capabilities` (`id`) ON DELETE CASCADE);
-- create "component_parts" table
CREATE TABLE `component_parts` (`component_id` text NOT NULL, `part_id` text NOT NULL, PRIMARY KEY (`component_id`, `part_id`), CONSTRAINT `component_parts_component_id` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE CASCADE, CONSTRAINT `component_parts_part_id` FOREIGN KEY (`part_id`) REFERENCES `components` (`id`) ON DELETE CASCADE);
-- create "contract_products" table
CREATE TABLE `contract_products` (`contract_id` text NOT NULL, `product_id` text NOT NULL, PRIMARY KEY (`contract_id`, `product_id`), CONSTRAINT `contract_products_contract_id` FOREIGN KEY (`contract_id`) REFERENCES `contracts` (`id`) ON DELETE CASCADE, CONSTRAINT `contract_products_product_id` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE CASCADE);
-- create "product_components" table
CREATE TABLE `product_components` (`product_id` text NOT NULL, `component_id` text NOT NULL, PRIMARY KEY (`product_id`, `component_id`), CONSTRAINT `product_components_product_id` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE CASCADE, CONSTRAINT `product_components_component_id` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE CASCADE);
-- create "product_clients" table
CREATE TABLE `product_clients` (`product_id` text NOT NULL, `client_account_id` text NOT NULL, PRIMARY KEY (`product_id`, `client_account_id`), CONSTRAINT `product_clients_product_id` FOREIGN KEY (`product_id`) REFERENCES `products` (`id`) ON DELETE CASCADE, CONSTRAINT `product_clients_client_account_id` FOREIGN KEY (`client_account_id`) REFERENCES `client_accounts` (`id`) ON DELETE CASCADE);

-- +goose Down
-- reverse: create "product_clients" table
DROP TABLE `product_clients`;
-- reverse: create "product_components" table
DROP TABLE `product_components`;
-- reverse: create "contract_products" table
DROP TABLE `contract_products`;
-- reverse: create "component_parts" table
DROP TABLE `component_parts`;
-- reverse: create "component_capabilities" table
DROP TABLE `component_capabilities`;
-- reverse: create index "vendorcontact_vendor_id_name_id" to table: "vendor_contacts"
DROP INDEX `vendorcontact_vendor_id_name_id`;
-- reverse: create "vendor_contacts" table
DROP TABLE `vendor_contacts`;
-- reverse: create index "vendor_name_norm" to table: "vendors"
DROP INDEX `vendor_name_norm`;
-- reverse: create index "vendor_name_id" to table: "vendors"
DROP INDEX `vendor_name_id`;
-- reverse: create index "vendor_source_external_id" to table: "vendors"
DROP INDEX `vendor_source_external_id`;
-- reverse: create index "vendors_key_key" to table: "vendors"
DROP INDEX `vendors_key_key`;
-- reverse: create "vendors" table
DROP TABLE `vendors`;
-- reverse: create index "undo_entries_token_hash_key" to table: "undo_entries"
DROP INDEX `undo_entries_token_hash_key`;
-- reverse: create "undo_entries" table
DROP TABLE `undo_entries`;
-- reverse: create index "teammembership_person_id" to table: "team_memberships"
DROP INDEX `teammembership_person_id`;
-- reverse: create index "teammembership_team_id" to table: "team_memberships"
DROP INDEX `teammembership_team_id`;
-- reverse: create "team_memberships" table
DROP TABLE `team_memberships`;
-- reverse: create index "team_name_id" to table: "teams"
DROP INDEX `team_name_id`;
-- reverse: create index "team_source_external_id" to table: "teams"
DROP INDEX `team_source_external_id`;
-- reverse: create index "teams_key_key" to table: "teams"
DROP INDEX `teams_key_key`;
-- reverse: create "teams" table
DROP TABLE `teams`;
-- reverse: create index "tag_name" to table: "tags"
DROP INDEX `tag_name`;
-- reverse: create "tags" table
DROP TABLE `tags`;
-- reverse: create index "session_sid" to table: "sessions"
DROP INDEX `session_sid`;
-- reverse: create index "session_person_id" to table: "sessions"
DROP INDEX `session_person_id`;
-- reverse: create index "sessions_token_hash_key" to table: "sessions"
DROP INDEX `sessions_token_hash_key`;
-- reverse: create "sessions" table
DROP TABLE `sessions`;
-- reverse: create index "rolegrant_person_id" to table: "role_grants"
DROP INDEX `rolegrant_person_id`;
-- reverse: create "role_grants" table
DROP TABLE `role_grants`;
-- reverse: create index "product_team_id" to table: "products"
DROP INDEX `product_team_id`;
-- reverse: create index "product_portfolio_id_name_id" to table: "products"
DROP INDEX `product_portfolio_id_name_id`;
-- reverse: create index "product_source_external_id" to table: "products"
DROP INDEX `product_source_external_id`;
-- reverse: create index "products_key_key" to table: "products"
DROP INDEX `products_key_key`;
-- reverse: create "products" table
DROP TABLE `products`;
-- reverse: create index "procurement_portfolio_id_status" to table: "procurements"
DROP INDEX `procurement_portfolio_id_status`;
-- reverse: create index "procurement_product_id" to table: "procurements"
DROP INDEX `procurement_product_id`;
-- reverse: create index "procurement_portfolio_id_name_id" to table: "procurements"
DROP INDEX `procurement_portfolio_id_name_id`;
-- reverse: create index "procurement_source_external_id" to table: "procurements"
DROP INDEX `procurement_source_external_id`;
-- reverse: create index "procurements_key_key" to table: "procurements"
DROP INDEX `procurements_key_key`;
-- reverse: create "procurements" table
DROP TABLE `procurements`;
-- reverse: create index "portfolio_name_id" to table: "portfolios"
DROP INDEX `portfolio_name_id`;
-- reverse: create index "portfolio_source_external_id" to table: "portfolios"
DROP INDEX `portfolio_source_external_id`;
-- reverse: create index "portfolios_key_key" to table: "portfolios"
DROP INDEX `portfolios_key_key`;
-- reverse: create "portfolios" table
DROP TABLE `portfolios`;
-- reverse: create index "personidentity_person_id" to table: "person_identities"
DROP INDEX `personidentity_person_id`;
-- reverse: create index "personidentity_issuer_subject" to table: "person_identities"
DROP INDEX `personidentity_issuer_subject`;
-- reverse: create "person_identities" table
DROP TABLE `person_identities`;
-- reverse: create index "person_vendor_id" to table: "persons"
DROP INDEX `person_vendor_id`;
-- reverse: create index "person_name_id" to table: "persons"
DROP INDEX `person_name_id`;
-- reverse: create index "person_source_external_id" to table: "persons"
DROP INDEX `person_source_external_id`;
-- reverse: create "persons" table
DROP TABLE `persons`;
-- reverse: create index "outboxevent_tx_id_id" to table: "outbox_events"
DROP INDEX `outboxevent_tx_id_id`;
-- reverse: create "outbox_events" table
DROP TABLE `outbox_events`;
-- reverse: create index "organization_name_id" to table: "organizations"
DROP INDEX `organization_name_id`;
-- reverse: create index "organization_source_external_id" to table: "organizations"
DROP INDEX `organization_source_external_id`;
-- reverse: create "organizations" table
DROP TABLE `organizations`;
-- reverse: create index "objective_cycle_id" to table: "objectives"
DROP INDEX `objective_cycle_id`;
-- reverse: create index "objective_product_id" to table: "objectives"
DROP INDEX `objective_product_id`;
-- reverse: create index "objective_portfolio_id_name_id" to table: "objectives"
DROP INDEX `objective_portfolio_id_name_id`;
-- reverse: create index "objective_source_external_id" to table: "objectives"
DROP INDEX `objective_source_external_id`;
-- reverse: create index "objectives_key_key" to table: "objectives"
DROP INDEX `objectives_key_key`;
-- reverse: create "objectives" table
DROP TABLE `objectives`;
-- reverse: create index "membership_scope_scope_id" to table: "memberships"
DROP INDEX `membership_scope_scope_id`;
-- reverse: create index "membership_person_id" to table: "memberships"
DROP INDEX `membership_person_id`;
-- reverse: create "memberships" table
DROP TABLE `memberships`;
-- reverse: create index "keyresult_objective_id" to table: "key_results"
DROP INDEX `keyresult_objective_id`;
-- reverse: create index "keyresult_portfolio_id_name_id" to table: "key_results"
DROP INDEX `keyresult_portfolio_id_name_id`;
-- reverse: create index "keyresult_source_external_id" to table: "key_results"
DROP INDEX `keyresult_source_external_id`;
-- reverse: create "key_results" table
DROP TABLE `key_results`;
-- reverse: create "key_counters" table
DROP TABLE `key_counters`;
-- reverse: create index "integrations_client_id_key" to table: "integrations"
DROP INDEX `integrations_client_id_key`;
-- reverse: create index "integrations_name_key" to table: "integrations"
DROP INDEX `integrations_name_key`;
-- reverse: create "integrations" table
DROP TABLE `integrations`;
-- reverse: create index "initiative_product_id" to table: "initiatives"
DROP INDEX `initiative_product_id`;
-- reverse: create index "initiative_portfolio_id_name_id" to table: "initiatives"
DROP INDEX `initiative_portfolio_id_name_id`;
-- reverse: create index "initiative_source_external_id" to table: "initiatives"
DROP INDEX `initiative_source_external_id`;
-- reverse: create index "initiatives_key_key" to table: "initiatives"
DROP INDEX `initiatives_key_key`;
-- reverse: create "initiatives" table
DROP TABLE `initiatives`;
-- reverse: create index "importbatch_portfolio_id_created_at_id" to table: "import_batches"
DROP INDEX `importbatch_portfolio_id_created_at_id`;
-- reverse: create index "importbatch_change_set" to table: "import_batches"
DROP INDEX `importbatch_change_set`;
-- reverse: create "import_batches" table
DROP TABLE `import_batches`;
-- reverse: create index "idempotencykey_created_at" to table: "idempotency_keys"
DROP INDEX `idempotencykey_created_at`;
-- reverse: create index "idempotencykey_owner_idempotency_key" to table: "idempotency_keys"
DROP INDEX `idempotencykey_owner_idempotency_key`;
-- reverse: create "idempotency_keys" table
DROP TABLE `idempotency_keys`;
-- reverse: create index "fiscalperiod_portfolio_id_period_length" to table: "fiscal_periods"
DROP INDEX `fiscalperiod_portfolio_id_period_length`;
-- reverse: create "fiscal_periods" table
DROP TABLE `fiscal_periods`;
-- reverse: create index "environment_vendor_id" to table: "environments"
DROP INDEX `environment_vendor_id`;
-- reverse: create index "environment_product_id" to table: "environments"
DROP INDEX `environment_product_id`;
-- reverse: create index "environment_portfolio_id_name_id" to table: "environments"
DROP INDEX `environment_portfolio_id_name_id`;
-- reverse: create index "environment_source_external_id" to table: "environments"
DROP INDEX `environment_source_external_id`;
-- reverse: create index "environments_key_key" to table: "environments"
DROP INDEX `environments_key_key`;
-- reverse: create "environments" table
DROP TABLE `environments`;
-- reverse: create index "dependency_product_id" to table: "dependencies"
DROP INDEX `dependency_product_id`;
-- reverse: create index "dependency_name_id" to table: "dependencies"
DROP INDEX `dependency_name_id`;
-- reverse: create "dependencies" table
DROP TABLE `dependencies`;
-- reverse: create "cycles" table
DROP TABLE `cycles`;
-- reverse: create index "customfield_entity_code" to table: "custom_fields"
DROP INDEX `customfield_entity_code`;
-- reverse: create "custom_fields" table
DROP TABLE `custom_fields`;
-- reverse: create index "contractterm_contract_id" to table: "contract_terms"
DROP INDEX `contractterm_contract_id`;
-- reverse: create index "contractterm_portfolio_id_name_id" to table: "contract_terms"
DROP INDEX `contractterm_portfolio_id_name_id`;
-- reverse: create "contract_terms" table
DROP TABLE `contract_terms`;
-- reverse: create index "contract_reference" to table: "contracts"
DROP INDEX `contract_reference`;
-- reverse: create index "contract_portfolio_id_decide_by_on" to table: "contracts"
DROP INDEX `contract_portfolio_id_decide_by_on`;
-- reverse: create index "contract_vendor_id" to table: "contracts"
DROP INDEX `contract_vendor_id`;
-- reverse: create index "contract_portfolio_id_name_id" to table: "contracts"
DROP INDEX `contract_portfolio_id_name_id`;
-- reverse: create index "contract_source_external_id" to table: "contracts"
DROP INDEX `contract_source_external_id`;
-- reverse: create index "contracts_key_key" to table: "contracts"
DROP INDEX `contracts_key_key`;
-- reverse: create "contracts" table
DROP TABLE `contracts`;
-- reverse: create index "component_name_id" to table: "components"
DROP INDEX `component_name_id`;
-- reverse: create index "component_source_external_id" to table: "components"
DROP INDEX `component_source_external_id`;
-- reverse: create index "components_key_key" to table: "components"
DROP INDEX `components_key_key`;
-- reverse: create "components" table
DROP TABLE `components`;
-- reverse: create index "comment_subject_id_created_at_id" to table: "comments"
DROP INDEX `comment_subject_id_created_at_id`;
-- reverse: create "comments" table
DROP TABLE `comments`;
-- reverse: create index "clientaccount_name_id" to table: "client_accounts"
DROP INDEX `clientaccount_name_id`;
-- reverse: create index "clientaccount_source_external_id" to table: "client_accounts"
DROP INDEX `clientaccount_source_external_id`;
-- reverse: create index "client_accounts_key_key" to table: "client_accounts"
DROP INDEX `client_accounts_key_key`;
-- reverse: create "client_accounts" table
DROP TABLE `client_accounts`;
-- reverse: create index "checkin_key_result_id_on" to table: "check_ins"
DROP INDEX `checkin_key_result_id_on`;
-- reverse: create index "checkin_portfolio_id_on_id" to table: "check_ins"
DROP INDEX `checkin_portfolio_id_on_id`;
-- reverse: create "check_ins" table
DROP TABLE `check_ins`;
-- reverse: create index "changeevent_portfolio_id_id" to table: "change_events"
DROP INDEX `changeevent_portfolio_id_id`;
-- reverse: create index "changeevent_change_set" to table: "change_events"
DROP INDEX `changeevent_change_set`;
-- reverse: create index "changeevent_entity_id_id" to table: "change_events"
DROP INDEX `changeevent_entity_id_id`;
-- reverse: create "change_events" table
DROP TABLE `change_events`;
-- reverse: create index "capability_name_id" to table: "capabilities"
DROP INDEX `capability_name_id`;
-- reverse: create index "capability_source_external_id" to table: "capabilities"
DROP INDEX `capability_source_external_id`;
-- reverse: create "capabilities" table
DROP TABLE `capabilities`;
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
-- reverse: create "budget_plans" table
DROP TABLE `budget_plans`;
-- reverse: create index "budgetline_plan_id_position_id" to table: "budget_lines"
DROP INDEX `budgetline_plan_id_position_id`;
-- reverse: create index "budgetline_portfolio_id_name_id" to table: "budget_lines"
DROP INDEX `budgetline_portfolio_id_name_id`;
-- reverse: create index "budgetline_source_external_id" to table: "budget_lines"
DROP INDEX `budgetline_source_external_id`;
-- reverse: create "budget_lines" table
DROP TABLE `budget_lines`;
-- reverse: create index "budgetcell_portfolio_id_period_id" to table: "budget_cells"
DROP INDEX `budgetcell_portfolio_id_period_id`;
-- reverse: create index "budgetcell_line_id_period" to table: "budget_cells"
DROP INDEX `budgetcell_line_id_period`;
-- reverse: create "budget_cells" table
DROP TABLE `budget_cells`;
-- reverse: create index "audit_seals_change_id_key" to table: "audit_seals"
DROP INDEX `audit_seals_change_id_key`;
-- reverse: create "audit_seals" table
DROP TABLE `audit_seals`;
-- reverse: create "audit_heads" table
DROP TABLE `audit_heads`;
-- reverse: create index "apitoken_integration_id" to table: "api_tokens"
DROP INDEX `apitoken_integration_id`;
-- reverse: create index "apitoken_person_id" to table: "api_tokens"
DROP INDEX `apitoken_person_id`;
-- reverse: create index "api_tokens_token_hash_key" to table: "api_tokens"
DROP INDEX `api_tokens_token_hash_key`;
-- reverse: create "api_tokens" table
DROP TABLE `api_tokens`;
