-- +goose Up
-- create "attachments" table
CREATE TABLE `attachments` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `subject_type` text NOT NULL, `subject_id` text NOT NULL, `portfolio_id` text NULL, `product_id` text NULL, `vendor_id` text NULL, `blob_id` text NOT NULL, `name` text NOT NULL, `media_type` text NOT NULL, `size` integer NOT NULL, `status` text NOT NULL DEFAULT ('HELD'), `finding` text NOT NULL DEFAULT (''), `actor_name` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "attachment_subject_id_created_at_id" to table: "attachments"
CREATE INDEX `attachment_subject_id_created_at_id` ON `attachments` (`subject_id`, `created_at`, `id`);
-- create index "attachment_portfolio_id_size" to table: "attachments"
CREATE INDEX `attachment_portfolio_id_size` ON `attachments` (`portfolio_id`, `size`);
-- create index "attachment_blob_id" to table: "attachments"
CREATE INDEX `attachment_blob_id` ON `attachments` (`blob_id`);
-- create "blobs" table
CREATE TABLE `blobs` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `size` integer NOT NULL DEFAULT (0), `sha256` text NOT NULL DEFAULT (''), `complete` bool NOT NULL DEFAULT (false), PRIMARY KEY (`id`));
-- create index "blob_complete_created_at" to table: "blobs"
CREATE INDEX `blob_complete_created_at` ON `blobs` (`complete`, `created_at`);
-- create "blob_chunks" table
CREATE TABLE `blob_chunks` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `blob_id` text NOT NULL, `seq` integer NOT NULL, `data` blob NOT NULL, PRIMARY KEY (`id`));
-- create index "blobchunk_blob_id_seq" to table: "blob_chunks"
CREATE UNIQUE INDEX `blobchunk_blob_id_seq` ON `blob_chunks` (`blob_id`, `seq`);
-- create "calendar_feeds" table
CREATE TABLE `calendar_feeds` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `person_id` text NOT NULL, `name` text NOT NULL DEFAULT (''), `kinds` json NULL, `token_hash` text NOT NULL, `hint` text NOT NULL DEFAULT (''), `language` text NOT NULL DEFAULT ('en'), `last_used_at` datetime NULL, `revoked_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "calendar_feeds_token_hash_key" to table: "calendar_feeds"
CREATE UNIQUE INDEX `calendar_feeds_token_hash_key` ON `calendar_feeds` (`token_hash`);
-- create index "calendarfeed_person_id" to table: "calendar_feeds"
CREATE INDEX `calendarfeed_person_id` ON `calendar_feeds` (`person_id`);
-- create "header_mappings" table
CREATE TABLE `header_mappings` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `format` text NOT NULL, `shape` text NOT NULL, `mapping` json NULL, `actor_name` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "headermapping_format_shape" to table: "header_mappings"
CREATE UNIQUE INDEX `headermapping_format_shape` ON `header_mappings` (`format`, `shape`);
-- create "jobs" table
CREATE TABLE `jobs` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `kind` text NOT NULL, `unique_key` text NULL, `status` text NOT NULL DEFAULT ('READY'), `input` json NULL, `output` json NULL, `progress` json NULL, `error` text NOT NULL DEFAULT (''), `run_at` datetime NOT NULL, `attempts` integer NOT NULL DEFAULT (0), `max_attempts` integer NOT NULL DEFAULT (5), `fence` integer NOT NULL DEFAULT (0), `worker` text NOT NULL DEFAULT (''), `lease_until` datetime NULL, `started_at` datetime NULL, `ended_at` datetime NULL, `actor_id` text NOT NULL DEFAULT (''), `actor_name` text NOT NULL DEFAULT (''), `portfolio_id` text NULL, PRIMARY KEY (`id`));
-- create index "job_unique_key" to table: "jobs"
CREATE UNIQUE INDEX `job_unique_key` ON `jobs` (`unique_key`);
-- create index "job_status_run_at_id" to table: "jobs"
CREATE INDEX `job_status_run_at_id` ON `jobs` (`status`, `run_at`, `id`);
-- create index "job_kind_created_at_id" to table: "jobs"
CREATE INDEX `job_kind_created_at_id` ON `jobs` (`kind`, `created_at`, `id`);
-- create "job_schedules" table
CREATE TABLE `job_schedules` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `name` text NOT NULL, `next_at` datetime NOT NULL, `last_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "job_schedules_name_key" to table: "job_schedules"
CREATE UNIQUE INDEX `job_schedules_name_key` ON `job_schedules` (`name`);
-- create "saved_views" table
CREATE TABLE `saved_views` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `entity` text NOT NULL, `name` text NOT NULL, `query` text NOT NULL DEFAULT (''), `shared` text NOT NULL DEFAULT ('PRIVATE'), `team_id` text NULL, `role` text NOT NULL DEFAULT (''), `alert` bool NOT NULL DEFAULT (false), `alert_count` integer NULL, `position` integer NOT NULL DEFAULT (0), `person_id` text NOT NULL, PRIMARY KEY (`id`));
-- create index "savedview_entity_person_id" to table: "saved_views"
CREATE INDEX `savedview_entity_person_id` ON `saved_views` (`entity`, `person_id`);
-- create index "savedview_entity_shared" to table: "saved_views"
CREATE INDEX `savedview_entity_shared` ON `saved_views` (`entity`, `shared`);
-- create "settings" table
CREATE TABLE `settings` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `name` text NOT NULL, `value` json NULL, PRIMARY KEY (`id`));
-- create index "settings_name_key" to table: "settings"
CREATE UNIQUE INDEX `settings_name_key` ON `settings` (`name`);
-- create "stored_documents" table
CREATE TABLE `stored_documents` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `hash` text NOT NULL, `text` text NOT NULL, `name` text NOT NULL DEFAULT (''), `integration_id` text NULL, `last_used_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "stored_documents_hash_key" to table: "stored_documents"
CREATE UNIQUE INDEX `stored_documents_hash_key` ON `stored_documents` (`hash`);
-- create "tag_links" table
CREATE TABLE `tag_links` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `subject_type` text NOT NULL, `subject_id` text NOT NULL, `portfolio_id` text NULL, `product_id` text NULL, `vendor_id` text NULL, `tag_id` text NOT NULL, PRIMARY KEY (`id`));
-- create index "taglink_subject_id_tag_id" to table: "tag_links"
CREATE UNIQUE INDEX `taglink_subject_id_tag_id` ON `tag_links` (`subject_id`, `tag_id`);
-- create index "taglink_tag_id_subject_type" to table: "tag_links"
CREATE INDEX `taglink_tag_id_subject_type` ON `tag_links` (`tag_id`, `subject_type`);
-- create "uploads" table
CREATE TABLE `uploads` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `blob_id` text NOT NULL, `name` text NOT NULL, `format` text NOT NULL DEFAULT (''), `settings` json NULL, `mapping` json NULL, `report` json NULL, `portfolio_id` text NULL, `person_id` text NOT NULL, `job_id` text NULL, PRIMARY KEY (`id`));
-- create index "upload_person_id_created_at_id" to table: "uploads"
CREATE INDEX `upload_person_id_created_at_id` ON `uploads` (`person_id`, `created_at`, `id`);
-- create "webhooks" table
CREATE TABLE `webhooks` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `archived_at` datetime NULL, `name` text NOT NULL, `url` text NOT NULL, `types` json NULL, `integration_id` text NOT NULL, `secret` blob NOT NULL, `previous_secret` blob NULL, `previous_secret_until` datetime NULL, `active` bool NOT NULL DEFAULT (true), `stopped_because` text NOT NULL DEFAULT (''), `failing_since` datetime NULL, `cursor_tx` integer NOT NULL DEFAULT (0), `cursor_id` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "webhook_integration_id" to table: "webhooks"
CREATE INDEX `webhook_integration_id` ON `webhooks` (`integration_id`);
-- create "webhook_deliveries" table
CREATE TABLE `webhook_deliveries` (`id` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `created_by` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `updated_by` text NOT NULL DEFAULT (''), `custom` json NULL, `webhook_id` text NOT NULL, `event_id` text NOT NULL, `type` text NOT NULL DEFAULT (''), `subject_id` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('WAITING'), `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NOT NULL, `status_code` integer NOT NULL DEFAULT (0), `answer` text NOT NULL DEFAULT (''), `millis` integer NOT NULL DEFAULT (0), `ended_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "webhookdelivery_webhook_id_created_at_id" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_webhook_id_created_at_id` ON `webhook_deliveries` (`webhook_id`, `created_at`, `id`);
-- create index "webhookdelivery_status_next_at_id" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_status_next_at_id` ON `webhook_deliveries` (`status`, `next_at`, `id`);
-- create index "webhookdelivery_webhook_id_event_id" to table: "webhook_deliveries"
CREATE INDEX `webhookdelivery_webhook_id_event_id` ON `webhook_deliveries` (`webhook_id`, `event_id`);

-- +goose Down
-- reverse: create index "webhookdelivery_webhook_id_event_id" to table: "webhook_deliveries"
DROP INDEX `webhookdelivery_webhook_id_event_id`;
-- reverse: create index "webhookdelivery_status_next_at_id" to table: "webhook_deliveries"
DROP INDEX `webhookdelivery_status_next_at_id`;
-- reverse: create index "webhookdelivery_webhook_id_created_at_id" to table: "webhook_deliveries"
DROP INDEX `webhookdelivery_webhook_id_created_at_id`;
-- reverse: create "webhook_deliveries" table
DROP TABLE `webhook_deliveries`;
-- reverse: create index "webhook_integration_id" to table: "webhooks"
DROP INDEX `webhook_integration_id`;
-- reverse: create "webhooks" table
DROP TABLE `webhooks`;
-- reverse: create index "upload_person_id_created_at_id" to table: "uploads"
DROP INDEX `upload_person_id_created_at_id`;
-- reverse: create "uploads" table
DROP TABLE `uploads`;
-- reverse: create index "taglink_tag_id_subject_type" to table: "tag_links"
DROP INDEX `taglink_tag_id_subject_type`;
-- reverse: create index "taglink_subject_id_tag_id" to table: "tag_links"
DROP INDEX `taglink_subject_id_tag_id`;
-- reverse: create "tag_links" table
DROP TABLE `tag_links`;
-- reverse: create index "stored_documents_hash_key" to table: "stored_documents"
DROP INDEX `stored_documents_hash_key`;
-- reverse: create "stored_documents" table
DROP TABLE `stored_documents`;
-- reverse: create index "settings_name_key" to table: "settings"
DROP INDEX `settings_name_key`;
-- reverse: create "settings" table
DROP TABLE `settings`;
-- reverse: create index "savedview_entity_shared" to table: "saved_views"
DROP INDEX `savedview_entity_shared`;
-- reverse: create index "savedview_entity_person_id" to table: "saved_views"
DROP INDEX `savedview_entity_person_id`;
-- reverse: create "saved_views" table
DROP TABLE `saved_views`;
-- reverse: create index "job_schedules_name_key" to table: "job_schedules"
DROP INDEX `job_schedules_name_key`;
-- reverse: create "job_schedules" table
DROP TABLE `job_schedules`;
-- reverse: create index "job_kind_created_at_id" to table: "jobs"
DROP INDEX `job_kind_created_at_id`;
-- reverse: create index "job_status_run_at_id" to table: "jobs"
DROP INDEX `job_status_run_at_id`;
-- reverse: create index "job_unique_key" to table: "jobs"
DROP INDEX `job_unique_key`;
-- reverse: create "jobs" table
DROP TABLE `jobs`;
-- reverse: create index "headermapping_format_shape" to table: "header_mappings"
DROP INDEX `headermapping_format_shape`;
-- reverse: create "header_mappings" table
DROP TABLE `header_mappings`;
-- reverse: create index "calendarfeed_person_id" to table: "calendar_feeds"
DROP INDEX `calendarfeed_person_id`;
-- reverse: create index "calendar_feeds_token_hash_key" to table: "calendar_feeds"
DROP INDEX `calendar_feeds_token_hash_key`;
-- reverse: create "calendar_feeds" table
DROP TABLE `calendar_feeds`;
-- reverse: create index "blobchunk_blob_id_seq" to table: "blob_chunks"
DROP INDEX `blobchunk_blob_id_seq`;
-- reverse: create "blob_chunks" table
DROP TABLE `blob_chunks`;
-- reverse: create index "blob_complete_created_at" to table: "blobs"
DROP INDEX `blob_complete_created_at`;
-- reverse: create "blobs" table
DROP TABLE `blobs`;
-- reverse: create index "attachment_blob_id" to table: "attachments"
DROP INDEX `attachment_blob_id`;
-- reverse: create index "attachment_portfolio_id_size" to table: "attachments"
DROP INDEX `attachment_portfolio_id_size`;
-- reverse: create index "attachment_subject_id_created_at_id" to table: "attachments"
DROP INDEX `attachment_subject_id_created_at_id`;
-- reverse: create "attachments" table
DROP TABLE `attachments`;
