#!/usr/bin/env bash
# Runs every test: `make test`, and so .ci/run. Sets up what is missing first (setup-test.sh).
#
#   1. Go: generated code is current, vet, then every package on SQLite and PostgreSQL
#   2. the race detector on the packages where goroutines meet
#   3. the sign-in suite against a real Keycloak, fetched while step 1 compiles
#   4. the browser journeys in Chromium against the built program
#
# Logs go to var/test. In CI (CI=true) a skipped test fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
began=$SECONDS
logs=$PWD/var/test
rm -rf "$logs"
mkdir -p "$logs"
unset "${!STEWARD_OIDC_@}" STEWARD_DATABASE STEWARD_LISTEN STEWARD_PRODUCTION 2>/dev/null || true
count=()
[ "${CI:-}" != true ] || count=(-count=1)

took() { printf '%dm%02ds' $((($SECONDS - began) / 60)) $((($SECONDS - began) % 60)); }
step() { printf '\n== %s (at %s)\n' "$*" "$(took)"; }
fail() { printf '\nFAILED after %s: %s\n' "$(took)" "$*" >&2; exit 1; }

# the servers of this run, ended with it whatever happens
export PG_HOME=/tmp/steward-test-pg-$$ KEYCLOAK_RUN=/tmp/steward-test-keycloak-$$
# the realm's redirect address is fixed when it is imported, so the suite serves on a fixed port
kc=(env STEWARD_BASE_URL=http://localhost:18081 STEWARD_INTERNAL_URL=http://127.0.0.1:18081)
preparing=
end() {
  local code=$?
  trap - EXIT
  [ -z "$preparing" ] || kill -- "-$preparing" 2>/dev/null || true
  [ ! -d "$KEYCLOAK_RUN" ] || scripts/keycloak.sh stop >/dev/null 2>&1 || true
  [ ! -d "$PG_HOME" ] || scripts/postgres.sh destroy >/dev/null 2>&1 || true
  rm -rf "$PG_HOME" "$KEYCLOAK_RUN"
  exit $code
}
trap end EXIT
trap 'exit 130' INT TERM

# suite NAME COMMAND… runs Go tests verbosely into a log, shows the closing line of each package and
# every failure as it happens, and refuses skips.
passed=0
suite() {
  local name=$1 log=$logs/$1.log code
  shift
  set +e
  "$@" 2>&1 </dev/null | tee "$log" | grep --line-buffered -E '^(ok|FAIL|panic:)|^ *--- (FAIL|SKIP)|^# '
  code=${PIPESTATUS[0]}
  set -e
  if [ "$code" != 0 ]; then
    # what the packages that failed said, without their tests that passed
    echo
    awk '/^=== (RUN|PAUSE|CONT|NAME)/ || /^ *--- PASS/ || /no test files/ { next } { said = said $0 "\n" }
      /^ok/ { said = "" } /^FAIL\t/ { printf "%s", said; said = "" } END { printf "%s", said }' "$log" | tail -n 200
    fail "$name (whole log: $log)"
  fi
  grep -q '^ok' "$log" || fail "$name ran no test"
  refuse_skips "$name" "$(grep -cE '^ *--- SKIP' "$log" || true)"
  passed=$((passed + $(grep -cE '^ *--- PASS' "$log" || true)))
}
refuse_skips() {
  [ "${2:-0}" != 0 ] || return 0
  grep -E '^ *--- SKIP' -B2 "$logs/$1.log" | head -20 >&2 || true
  [ "${CI:-}" != true ] || fail "$1: $2 skipped"
  echo "NOTE: $1: $2 skipped" >&2
}

step "Set-up"
scripts/setup-test.sh packages browser || fail "the machine lacks something; see above"
setsid "${kc[@]}" scripts/setup-test.sh keycloak >"$logs/keycloak-prepare.log" 2>&1 </dev/null & # a group of its own, to be ended as one
preparing=$!
scripts/setup-test.sh modules || fail "the modules; see above"

step "PostgreSQL"
STEWARD_TEST_PG=$(PG_FSYNC=off PG_CONF=$'max_connections = 250\nautovacuum = off\nlog_min_duration_statement = -1' scripts/postgres.sh start)
export STEWARD_TEST_PG
postgres_version=$(scripts/postgres.sh psql -XAtqc 'SHOW server_version' | cut -d' ' -f1)
sqlite_version=$(go list -m -f '{{.Version}}' modernc.org/sqlite)
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
chromium_version=$("$chromium" --version 2>/dev/null </dev/null)
export CHROMIUM=$chromium
echo "PostgreSQL $postgres_version, SQLite (modernc.org/sqlite $sqlite_version), ${chromium_version%% built*}"

step "Generated code is what the schema says"
CI=true scripts/gen.sh || fail "generated code"

step "go vet"
go vet ./... || fail "go vet"

step "Go tests on SQLite and PostgreSQL"
suite go go test -v "${count[@]}" -timeout 25m ./...

step "Race detector"
racy=()
for dir in internal/rules internal/platform/auth internal/platform/store internal/platform/job; do
  [ ! -d "$dir" ] || racy+=("./$dir/...")
done
suite race go test -race -v "${count[@]}" -timeout 20m "${racy[@]}"

step "Sign-in against a real Keycloak"
wait "$preparing" || { tail -20 "$logs/keycloak-prepare.log"; preparing=; fail "Keycloak could not be prepared"; }
preparing=
STEWARD_TEST_KEYCLOAK=$("${kc[@]}" KEYCLOAK_PORT=0 scripts/keycloak.sh start)
export STEWARD_TEST_KEYCLOAK
keycloak_version=$(sed -n 's/.*Keycloak \([0-9][0-9.]*\) on JVM.*/\1/p' "$(scripts/keycloak.sh log)" | head -1)
echo "Keycloak ${keycloak_version:-(version not in its log)} at $STEWARD_TEST_KEYCLOAK"
suite keycloak "${kc[@]}" go test -tags e2e -v -count=1 -timeout 15m ./internal/e2e/keycloak/...

step "Browser journeys"
go build -o bin/steward ./cmd/steward || fail "go build"
compgen -G 'e2e/*.test.mjs' >/dev/null || fail "no browser journey in e2e/"
node --test --test-concurrency=1 --test-reporter=spec e2e/*.test.mjs </dev/null 2>&1 | tee "$logs/browser.log" || fail "browser journeys (whole log: $logs/browser.log)"
refuse_skips browser "$(sed -n 's/^ℹ skipped //p' "$logs/browser.log" | tail -1)"
journeys=$(sed -n 's/^ℹ pass //p' "$logs/browser.log" | tail -1)

printf '\nAll tests passed in %s: SQLite, PostgreSQL %s, Keycloak %s, %s.\n' "$(took)" "$postgres_version" "${keycloak_version:-}" "${chromium_version%% built*}"
printf '%d passed, 0 failed\n' $((passed + ${journeys:-0}))
