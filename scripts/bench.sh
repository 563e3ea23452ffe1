#!/usr/bin/env bash
# Measures Steward against the limit of its stack on a PostgreSQL of its own: `make bench`, `make bench SCALE=100`.
# More flags of internal/bench come as arguments. It is no test; wrong answers are the only failure.
set -euo pipefail
cd "$(dirname "$0")/.."
export PG_HOME=/tmp/steward-bench-pg-$$
end() {
  local code=$?
  trap - EXIT
  scripts/postgres.sh destroy >/dev/null 2>&1 || true
  rm -rf "$PG_HOME"
  exit $code
}
trap end EXIT
trap 'exit 130' INT TERM
export PG_CONF=$'shared_buffers = 256MB\nmax_wal_size = 2GB\nwork_mem = 16MB'
url=$(scripts/postgres.sh start)
keys=$(mktemp)
trap 'rm -f "$keys"; end' EXIT
head -c 32 /dev/urandom | base64 >"$keys"
STEWARD_KEY_FILE=$keys go run ./internal/bench -database "$url" -steward "${STEWARD_BIN:-bin/steward}" -scale "${SCALE:-1}" "$@"
