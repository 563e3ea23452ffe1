#!/usr/bin/env bash
# Writes all generated code again and says which files changed. Generated code is committed, so a
# change in it belongs in the commit of what caused it; in CI (CI=true) a change is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# a sum of every file that a generator writes
sums() { { find ent graph -type f; find views internal -name '*_templ.go'; } 2>/dev/null | sort | xargs sha256sum; }

before=$(sums)
go tool templ generate -log-level error
go run ./ent/codegen
after=$(sums)
changed=$(diff <(echo "$before") <(echo "$after") | sed -n 's/^[<>] [0-9a-f]*  //p' | sort -u || true)
[ -n "$changed" ] || exit 0
echo "changed:"
sed 's/^/  /' <<<"$changed"
if [ "${CI:-}" = true ]; then
  echo "gen: the generated code that is committed is not what the schema says: run make gen and commit" >&2
  exit 1
fi
