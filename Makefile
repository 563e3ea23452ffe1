# Steward's targets. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
OBS     := steward/internal/platform/obs
LDFLAGS := -X $(OBS).version=$(VERSION) -X $(OBS).commit=$(COMMIT) -X $(OBS).date=$(DATE)
# hand-written packages: generated code is not linted, it is regenerated and compared
LINTED   = $$(go list ./... | grep -vE '^steward/(ent|ent/[a-z]+|graph/generated)$$'; go list ./ent/schema ./ent/mixin ./ent/codegen)

.PHONY: help
help: ## what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: build ## build what is missing and start the demo on http://localhost:8080 (more flags: ARGS="…")
	@exec bin/steward serve --demo $(ARGS)

.PHONY: build
build: ## bin/steward
	@[ -x bin/steward ] || echo "Building bin/steward: some minutes the first time, seconds from then on."
	@go build -ldflags '$(LDFLAGS)' -o bin/steward ./cmd/steward

.PHONY: test
test: ## every test, with all set-up: both databases, Chromium, a real Keycloak
	@scripts/test.sh

.PHONY: check
check: gen lint ## the quick loop: generate, compare, lint, vet, tests on SQLite
	@STEWARD_TEST_DATABASES=sqlite go test ./...

.PHONY: gen
gen: ## write the generated code again (ent, GraphQL, page descriptors, templates) and say what changed
	@scripts/gen.sh

.PHONY: migration
migration: ## plan the migration to the present schema for both databases: make migration name=thing
	@[ -n "$(name)" ] || { echo "usage: make migration name=what_changes"; exit 2; }
	@go run ./migrations/plan $(name)

.PHONY: migration-sum
migration-sum: ## take note of what was written into a new migration by hand
	@go run ./migrations/plan -sum

.PHONY: assets
assets: ## fetch and bundle the browser files of static/vendor again, as static/package.json pins them
	@cd static && npm ci --ignore-scripts --no-audit --no-fund && npm run build

.PHONY: lint
lint: ## vet, staticcheck and the house rules (internal/lint)
	@go vet ./...
	@go tool -modfile=tools/go.mod staticcheck $(LINTED)
	@go test ./internal/lint

.PHONY: soak
soak: ## the long forms of the tests that kill servers, send random documents and fuzz: hours (TIMES=20)
	@STEWARD_TEST_SOAK=$(or $(TIMES),20) go test -count=1 -timeout 12h -v -run 'Kill|Failover|Twice|Rolling|Random|Silent|Slow|Editors|LiveSum|Deadlock|Postings' ./internal/app ./internal/e2e/access ./internal/area/budget ./internal/platform/store ./graph
	@go test -run '^$$' -fuzz FuzzDocument -fuzztime 10m ./graph

.PHONY: bench
bench: build ## processor time, answers a second and memory against the limit of the stack (SCALE=100: thirty million budget lines)
	@scripts/bench.sh $(ARGS)

.PHONY: vuln
vuln: ## known vulnerabilities in what the program really calls (needs the vulnerability database)
	@go tool -modfile=tools/go.mod govulncheck ./...

.PHONY: e2e
e2e: build ## the browser journeys alone
	@scripts/setup-test.sh packages browser
	@node --test --test-concurrency=1 e2e/*.test.mjs

.PHONY: keycloak
keycloak: ## start a real Keycloak with the realm of deploy/keycloak, print its issuer (stop: scripts/keycloak.sh stop)
	@scripts/keycloak.sh start

.PHONY: postgres
postgres: ## start a PostgreSQL under /tmp, print its URL (stop: scripts/postgres.sh stop)
	@scripts/postgres.sh start

.PHONY: release
release: ## static binaries for Linux and macOS with checksums, in dist/
	@VERSION='$(VERSION)' LDFLAGS='$(LDFLAGS)' scripts/release.sh
