-- +goose Up
-- modify "webhooks" table
ALTER TABLE "webhooks" ADD COLUMN "scheme" character varying NOT NULL DEFAULT 'HMAC';
-- create "notifications" table
CREATE TABLE "notifications" ("id" character varying NOT NULL, "version" bigint NOT NULL DEFAULT 1, "created_at" timestamptz NOT NULL, "created_by" character varying NOT NULL DEFAULT '', "updated_at" timestamptz NOT NULL, "updated_by" character varying NOT NULL DEFAULT '', "custom" jsonb NULL, "person_id" character varying NOT NULL, "message" character varying NOT NULL, "args" jsonb NULL, "href" character varying NOT NULL DEFAULT '', "unique_key" character varying NULL, "read_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "notification_person_id_created_at_id" to table: "notifications"
CREATE INDEX "notification_person_id_created_at_id" ON "notifications" ("person_id", "created_at", "id");
-- create index "notification_person_id_unique_key" to table: "notifications"
CREATE UNIQUE INDEX "notification_person_id_unique_key" ON "notifications" ("person_id", "unique_key");

-- +goose Down
-- reverse: create index "notification_person_id_unique_key" to table: "notifications"
DROP INDEX "notification_person_id_unique_key";
-- reverse: create index "notification_person_id_created_at_id" to table: "notifications"
DROP INDEX "notification_person_id_created_at_id";
-- reverse: create "notifications" table
DROP TABLE "notifications";
-- reverse: modify "webhooks" table
ALTER TABLE "webhooks" DROP COLUMN "scheme";
