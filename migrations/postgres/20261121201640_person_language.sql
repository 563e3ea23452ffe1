-- +goose Up
-- modify "persons" table
ALTER TABLE "persons" ALTER COLUMN "language" DROP NOT NULL, ALTER COLUMN "language" DROP DEFAULT;

-- +goose Down
-- reverse: modify "persons" table
ALTER TABLE "persons" ALTER COLUMN "language" SET NOT NULL, ALTER COLUMN "language" SET DEFAULT 'en';
