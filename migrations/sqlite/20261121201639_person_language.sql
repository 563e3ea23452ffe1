-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_persons" table
CREATE TABLE `new_persons` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `origin` text NOT NULL DEFAULT ('ENTERED'), `source` text NULL, `external_id` text NULL, `name` text NOT NULL, `email` text NOT NULL DEFAULT (''), `title` text NOT NULL DEFAULT (''), `employment` text NOT NULL DEFAULT ('EMPLOYEE'), `time_zone` text NOT NULL DEFAULT ('America/Vancouver'), `language` text NULL, `active` bool NOT NULL DEFAULT (true), `manager_id` text NULL, `vendor_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `persons_persons_reports` FOREIGN KEY (`manager_id`) REFERENCES `persons` (`id`) ON DELETE SET NULL, CONSTRAINT `persons_vendors_people` FOREIGN KEY (`vendor_id`) REFERENCES `vendors` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "persons" to new temporary table "new_persons"
INSERT INTO `new_persons` (`id`, `version`, `created_at`, `created_by`, `updated_at`, `updated_by`, `custom`, `archived_at`, `origin`, `source`, `external_id`, `name`, `email`, `title`, `employment`, `time_zone`, `language`, `active`, `manager_id`, `vendor_id`) SELECT `id`, `version`, `created_at`, `created_by`, `updated_at`, `updated_by`, `custom`, `archived_at`, `origin`, `source`, `external_id`, `name`, `email`, `title`, `employment`, `time_zone`, `language`, `active`, `manager_id`, `vendor_id` FROM `persons`;
-- drop "persons" table after copying rows
DROP TABLE `persons`;
-- rename temporary table "new_persons" to "persons"
ALTER TABLE `new_persons` RENAME TO `persons`;
-- create index "person_source_external_id" to table: "persons"
CREATE UNIQUE INDEX `person_source_external_id` ON `persons` (`source`, `external_id`);
-- create index "person_name_id" to table: "persons"
CREATE INDEX `person_name_id` ON `persons` (`name`, `id`);
-- create index "person_vendor_id" to table: "persons"
CREATE INDEX `person_vendor_id` ON `persons` (`vendor_id`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;

-- +goose Down
-- reverse: create index "person_vendor_id" to table: "persons"
DROP INDEX `person_vendor_id`;
-- reverse: create index "person_name_id" to table: "persons"
DROP INDEX `person_name_id`;
-- reverse: create index "person_source_external_id" to table: "persons"
DROP INDEX `person_source_external_id`;
-- reverse: create "new_persons" table
DROP TABLE `new_persons`;
