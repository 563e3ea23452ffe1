-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_webhooks" table
CREATE TABLE `new_webhooks` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `name` text NOT NULL, `url` text NOT NULL, `types` json NULL, `integration_id` text NOT NULL, `scheme` text NOT NULL DEFAULT ('HMAC'), `secret` blob NOT NULL, `previous_secret` blob NULL, `previous_secret_until` datetime NULL, `active` bool NOT NULL DEFAULT (true), `stopped_because` text NOT NULL DEFAULT (''), `failing_since` datetime NULL, `cursor_tx` integer NOT NULL DEFAULT (0), `cursor_id` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- copy rows from old table "webhooks" to new temporary table "new_webhooks"
INSERT INTO `new_webhooks` (`id`, `version`, `created_at`, `created_by`, `updated_at`, `updated_by`, `custom`, `archived_at`, `name`, `url`, `types`, `integration_id`, `secret`, `previous_secret`, `previous_secret_until`, `active`, `stopped_because`, `failing_since`, `cursor_tx`, `cursor_id`) SELECT `id`, `version`, `created_at`, `created_by`, `updated_at`, `updated_by`, `custom`, `archived_at`, `name`, `url`, `types`, `integration_id`, `secret`, `previous_secret`, `previous_secret_until`, `active`, `stopped_because`, `failing_since`, `cursor_tx`, `cursor_id` FROM `webhooks`;
-- drop "webhooks" table after copying rows
DROP TABLE `webhooks`;
-- rename temporary table "new_webhooks" to "webhooks"
ALTER TABLE `new_webhooks` RENAME TO `webhooks`;
-- create index "webhook_integration_id" to table: "webhooks"
CREATE INDEX `webhook_integration_id` ON `webhooks` (`integration_id`);
-- create "notifications" table
CREATE TABLE `notifications` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `person_id` text NOT NULL, `message` text NOT NULL, `args` json NULL, `href` text NOT NULL DEFAULT (''), `unique_key` text NULL, `read_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "notification_person_id_created_at_id" to table: "notifications"
CREATE INDEX `notification_person_id_created_at_id` ON `notifications` (`person_id`, `created_at`, `id`);
-- create index "notification_person_id_unique_key" to table: "notifications"
CREATE UNIQUE INDEX `notification_person_id_unique_key` ON `notifications` (`person_id`, `unique_key`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "notification_person_id_unique_key" to table: "notifications"
DROP INDEX `notification_person_id_unique_key`;
-- reverse: create index "notification_person_id_created_at_id" to table: "notifications"
DROP INDEX `notification_person_id_created_at_id`;
-- reverse: create "notifications" table
DROP TABLE `notifications`;
-- reverse: create index "webhook_integration_id" to table: "webhooks"
DROP INDEX `webhook_integration_id`;
-- reverse: create "new_webhooks" table
DROP TABLE `new_webhooks`;
