-- +goose Up
-- create "attachments" table
CREATE TABLE "attachments" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "archived_at" timestamptz NULL, "subject_type" character varying NOT NULL, "subject_id" character varying NOT NULL, "portfolio_id" character varying NULL, "product_id" character varying NULL, "vendor_id" character varying NULL, "blob_id" character varying NOT NULL, "name" character varying NOT NULL, "media_type" character varying NOT NULL, "size" bigint NOT NULL, "status" character varying NOT NULL DEFAULT 'HELD', "finding" character varying NOT NULL DEFAULT '', "actor_name" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "attachment_blob_id" to table: "attachments"
CREATE INDEX "attachment_blob_id" ON "attachments" ("blob_id");
-- create index "attachment_portfolio_id_size" to table: "attachments"
CREATE INDEX "attachment_portfolio_id_size" ON "attachments" ("portfolio_id", "size");
-- create index "attachment_subject_id_created_at_id" to table: "attachments"
CREATE INDEX "attachment_subject_id_created_at_id" ON "attachments" ("subject_id", "created_at", "id");
-- create "blobs" table
CREATE TABLE "blobs" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "size" bigint NOT NULL DEFAULT 0, "sha256" character varying NOT NULL DEFAULT '', "complete" boolean NOT NULL DEFAULT false, PRIMARY KEY ("id"));
-- create index "blob_complete_created_at" to table: "blobs"
CREATE INDEX "blob_complete_created_at" ON "blobs" ("complete", "created_at");
-- create "blob_chunks" table
CREATE TABLE "blob_chunks" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "blob_id" character varying NOT NULL, "seq" bigint NOT NULL, "data" bytea NOT NULL, PRIMARY KEY ("id"));
-- create index "blobchunk_blob_id_seq" to table: "blob_chunks"
CREATE UNIQUE INDEX "blobchunk_blob_id_seq" ON "blob_chunks" ("blob_id", "seq");
-- create "calendar_feeds" table
CREATE TABLE "calendar_feeds" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "person_id" character varying NOT NULL, "name" character varying NOT NULL DEFAULT '', "kinds" jsonb NULL, "token_hash" character varying NOT NULL, "hint" character varying NOT NULL DEFAULT '', "language" character varying NOT NULL DEFAULT 'en', "last_used_at" timestamptz NULL, "revoked_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "calendar_feeds_token_hash_key" to table: "calendar_feeds"
CREATE UNIQUE INDEX "calendar_feeds_token_hash_key" ON "calendar_feeds" ("token_hash");
-- create index "calendarfeed_person_id" to table: "calendar_feeds"
CREATE INDEX "calendarfeed_person_id" ON "calendar_feeds" ("person_id");
-- create "header_mappings" table
CREATE TABLE "header_mappings" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "format" character varying NOT NULL, "shape" character varying NOT NULL, "mapping" jsonb NULL, "actor_name" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "headermapping_format_shape" to table: "header_mappings"
CREATE UNIQUE INDEX "headermapping_format_shape" ON "header_mappings" ("format", "shape");
-- create "jobs" table
CREATE TABLE "jobs" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "kind" character varying NOT NULL, "unique_key" character varying NULL, "status" character varying NOT NULL DEFAULT 'READY', "input" jsonb NULL, "output" jsonb NULL, "progress" jsonb NULL, "error" character varying NOT NULL DEFAULT '', "run_at" timestamptz NOT NULL, "attempts" bigint NOT NULL DEFAULT 0, "max_attempts" bigint NOT NULL DEFAULT 5, "fence" bigint NOT NULL DEFAULT 0, "worker" character varying NOT NULL DEFAULT '', "lease_until" timestamptz NULL, "started_at" timestamptz NULL, "ended_at" timestamptz NULL, "actor_id" character varying NOT NULL DEFAULT '', "actor_name" character varying NOT NULL DEFAULT '', "portfolio_id" character varying NULL, PRIMARY KEY ("id"));
-- create index "job_kind_created_at_id" to table: "jobs"
CREATE INDEX "job_kind_created_at_id" ON "jobs" ("kind", "created_at", "id");
-- create index "job_status_run_at_id" to table: "jobs"
CREATE INDEX "job_status_run_at_id" ON "jobs" ("status", "run_at", "id");
-- create index "job_unique_key" to table: "jobs"
CREATE UNIQUE INDEX "job_unique_key" ON "jobs" ("unique_key");
-- create "job_schedules" table
CREATE TABLE "job_schedules" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "name" character varying NOT NULL, "next_at" timestamptz NOT NULL, "last_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "job_schedules_name_key" to table: "job_schedules"
CREATE UNIQUE INDEX "job_schedules_name_key" ON "job_schedules" ("name");
-- create "saved_views" table
CREATE TABLE "saved_views" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "archived_at" timestamptz NULL, "entity" character varying NOT NULL, "name" character varying NOT NULL, "query" character varying NOT NULL DEFAULT '', "shared" character varying NOT NULL DEFAULT 'PRIVATE', "team_id" character varying NULL, "role" character varying NOT NULL DEFAULT '', "alert" boolean NOT NULL DEFAULT false, "alert_count" bigint NULL, "position" bigint NOT NULL DEFAULT 0, "person_id" character varying NOT NULL, PRIMARY KEY ("id"));
-- create index "savedview_entity_person_id" to table: "saved_views"
CREATE INDEX "savedview_entity_person_id" ON "saved_views" ("entity", "person_id");
-- create index "savedview_entity_shared" to table: "saved_views"
CREATE INDEX "savedview_entity_shared" ON "saved_views" ("entity", "shared");
-- create "settings" table
CREATE TABLE "settings" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "name" character varying NOT NULL, "value" jsonb NULL, PRIMARY KEY ("id"));
-- create index "settings_name_key" to table: "settings"
CREATE UNIQUE INDEX "settings_name_key" ON "settings" ("name");
-- create "stored_documents" table
CREATE TABLE "stored_documents" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "hash" character varying NOT NULL, "text" text NOT NULL, "name" character varying NOT NULL DEFAULT '', "integration_id" character varying NULL, "last_used_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "stored_documents_hash_key" to table: "stored_documents"
CREATE UNIQUE INDEX "stored_documents_hash_key" ON "stored_documents" ("hash");
-- create "tag_links" table
CREATE TABLE "tag_links" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "subject_type" character varying NOT NULL, "subject_id" character varying NOT NULL, "portfolio_id" character varying NULL, "product_id" character varying NULL, "vendor_id" character varying NULL, "tag_id" character varying NOT NULL, PRIMARY KEY ("id"));
-- create index "taglink_subject_id_tag_id" to table: "tag_links"
CREATE UNIQUE INDEX "taglink_subject_id_tag_id" ON "tag_links" ("subject_id", "tag_id");
-- create index "taglink_tag_id_subject_type" to table: "tag_links"
CREATE INDEX "taglink_tag_id_subject_type" ON "tag_links" ("tag_id", "subject_type");
-- create "uploads" table
CREATE TABLE "uploads" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "blob_id" character varying NOT NULL, "name" character varying NOT NULL, "format" character varying NOT NULL DEFAULT '', "settings" jsonb NULL, "mapping" jsonb NULL, "report" jsonb NULL, "portfolio_id" character varying NULL, "person_id" character varying NOT NULL, "job_id" character varying NULL, PRIMARY KEY ("id"));
-- create index "upload_person_id_created_at_id" to table: "uploads"
CREATE INDEX "upload_person_id_created_at_id" ON "uploads" ("person_id", "created_at", "id");
-- create "webhooks" table
CREATE TABLE "webhooks" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "archived_at" timestamptz NULL, "name" character varying NOT NULL, "url" character varying NOT NULL, "types" jsonb NULL, "integration_id" character varying NOT NULL, "secret" bytea NOT NULL, "previous_secret" bytea NULL, "previous_secret_until" timestamptz NULL, "active" boolean NOT NULL DEFAULT true, "stopped_because" character varying NOT NULL DEFAULT '', "failing_since" timestamptz NULL, "cursor_tx" bigint NOT NULL DEFAULT 0, "cursor_id" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "webhook_integration_id" to table: "webhooks"
CREATE INDEX "webhook_integration_id" ON "webhooks" ("integration_id");
-- create "webhook_deliveries" table
CREATE TABLE "webhook_deliveries" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "webhook_id" character varying NOT NULL, "event_id" character varying NOT NULL, "type" character varying NOT NULL DEFAULT '', "subject_id" character varying NOT NULL DEFAULT '', "status" character varying NOT NULL DEFAULT 'WAITING', "attempts" bigint NOT NULL DEFAULT 0, "next_at" timestamptz NOT NULL, "status_code" bigint NOT NULL DEFAULT 0, "answer" character varying NOT NULL DEFAULT '', "millis" bigint NOT NULL DEFAULT 0, "ended_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "webhookdelivery_status_next_at_id" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_status_next_at_id" ON "webhook_deliveries" ("status", "next_at", "id");
-- create index "webhookdelivery_webhook_id_created_at_id" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_webhook_id_created_at_id" ON "webhook_deliveries" ("webhook_id", "created_at", "id");
-- create index "webhookdelivery_webhook_id_event_id" to table: "webhook_deliveries"
CREATE INDEX "webhookdelivery_webhook_id_event_id" ON "webhook_deliveries" ("webhook_id", "event_id");

-- +goose Down
-- reverse: create index "webhookdelivery_webhook_id_event_id" to table: "webhook_deliveries"
DROP INDEX "webhookdelivery_webhook_id_event_id";
-- reverse: create index "webhookdelivery_webhook_id_created_at_id" to table: "webhook_deliveries"
DROP INDEX "webhookdelivery_webhook_id_created_at_id";
-- reverse: create index "webhookdelivery_status_next_at_id" to table: "webhook_deliveries"
DROP INDEX "webhookdelivery_status_next_at_id";
-- reverse: create "webhook_deliveries" table
DROP TABLE "webhook_deliveries";
-- reverse: create index "webhook_integration_id" to table: "webhooks"
DROP INDEX "webhook_integration_id";
-- reverse: create "webhooks" table
DROP TABLE "webhooks";
-- reverse: create index "upload_person_id_created_at_id" to table: "uploads"
DROP INDEX "upload_person_id_created_at_id";
-- reverse: create "uploads" table
DROP TABLE "uploads";
-- reverse: create index "taglink_tag_id_subject_type" to table: "tag_links"
DROP INDEX "taglink_tag_id_subject_type";
-- reverse: create index "taglink_subject_id_tag_id" to table: "tag_links"
DROP INDEX "taglink_subject_id_tag_id";
-- reverse: create "tag_links" table
DROP TABLE "tag_links";
-- reverse: create index "stored_documents_hash_key" to table: "stored_documents"
DROP INDEX "stored_documents_hash_key";
-- reverse: create "stored_documents" table
DROP TABLE "stored_documents";
-- reverse: create index "settings_name_key" to table: "settings"
DROP INDEX "settings_name_key";
-- reverse: create "settings" table
DROP TABLE "settings";
-- reverse: create index "savedview_entity_shared" to table: "saved_views"
DROP INDEX "savedview_entity_shared";
-- reverse: create index "savedview_entity_person_id" to table: "saved_views"
DROP INDEX "savedview_entity_person_id";
-- reverse: create "saved_views" table
DROP TABLE "saved_views";
-- reverse: create index "job_schedules_name_key" to table: "job_schedules"
DROP INDEX "job_schedules_name_key";
-- reverse: create "job_schedules" table
DROP TABLE "job_schedules";
-- reverse: create index "job_unique_key" to table: "jobs"
DROP INDEX "job_unique_key";
-- reverse: create index "job_status_run_at_id" to table: "jobs"
DROP INDEX "job_status_run_at_id";
-- reverse: create index "job_kind_created_at_id" to table: "jobs"
DROP INDEX "job_kind_created_at_id";
-- reverse: create "jobs" table
DROP TABLE "jobs";
-- reverse: create index "headermapping_format_shape" to table: "header_mappings"
DROP INDEX "headermapping_format_shape";
-- reverse: create "header_mappings" table
DROP TABLE "header_mappings";
-- reverse: create index "calendarfeed_person_id" to table: "calendar_feeds"
DROP INDEX "calendarfeed_person_id";
-- reverse: create index "calendar_feeds_token_hash_key" to table: "calendar_feeds"
DROP INDEX "calendar_feeds_token_hash_key";
-- reverse: create "calendar_feeds" table
DROP TABLE "calendar_feeds";
-- reverse: create index "blobchunk_blob_id_seq" to table: "blob_chunks"
DROP INDEX "blobchunk_blob_id_seq";
-- reverse: create "blob_chunks" table
DROP TABLE "blob_chunks";
-- reverse: create index "blob_complete_created_at" to table: "blobs"
DROP INDEX "blob_complete_created_at";
-- reverse: create "blobs" table
DROP TABLE "blobs";
-- reverse: create index "attachment_subject_id_created_at_id" to table: "attachments"
DROP INDEX "attachment_subject_id_created_at_id";
-- reverse: create index "attachment_portfolio_id_size" to table: "attachments"
DROP INDEX "attachment_portfolio_id_size";
-- reverse: create index "attachment_blob_id" to table: "attachments"
DROP INDEX "attachment_blob_id";
-- reverse: create "attachments" table
DROP TABLE "attachments";
