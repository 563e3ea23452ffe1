#!/usr/bin/env bash
# Gets what the tests need on a Debian-like machine. `make test` calls it; calling it again is quick.
#
#   setup-test.sh [PART…]      all parts, or some of:
#     packages   PostgreSQL, Chromium, Java, Maven, Node and a C compiler, from apt where they are missing
#     modules    `go mod tidy` changes nothing and every module can be had from an empty cache
#     browser    the node packages of e2e/
#     keycloak   fetches, builds and fills the Keycloak of the sign-in tests (about two minutes the first time)
#
# Says in words what cannot be had, and then exits 1.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
missing=0
lacks() { echo "setup: MISSING: $*" >&2; missing=1; }
have() { command -v "$1" >/dev/null 2>&1; }

has_postgres() {
  [ -z "${PG_BIN:-}" ] || { [ -x "$PG_BIN/initdb" ]; return; }
  { have initdb && have postgres; } || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}
chromium_bin() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [ -z "$name" ] || ! have "$name" || { command -v "$name"; return; }
  done
  return 1
}
java_ok() {
  local d
  for d in "${KEYCLOAK_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/*; do
    [ -z "$d" ] || [ ! -x "$d/bin/java" ] || [ "$("$d/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)" -lt 17 ] || return 0
  done
  have java && [ "$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)" -ge 17 ]
}
node_major() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }

# as_root runs a command as root, or says no.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

packages() {
  have go || { lacks "Go: see https://go.dev/doc/install"; return; }
  local want=()
  has_postgres || want+=(postgresql)
  chromium_bin >/dev/null || want+=(chromium)
  java_ok || want+=(default-jre-headless)
  have mvn || [ -n "${KEYCLOAK_ZIP:-}" ] || want+=(maven)
  have node || want+=(nodejs)
  have npm || want+=(npm)
  have curl || want+=(curl)
  have gcc || want+=(gcc libc6-dev) # the race detector
  if [ "${#want[@]}" -gt 0 ]; then
    say "installing ${want[*]}"
    local log
    log=$(mktemp)
    if ! have apt-get; then lacks "${want[*]}: this is no Debian-like system, install them by hand"
    elif ! as_root true; then lacks "${want[*]}: run as root, or: sudo apt-get install -y ${want[*]}"
    elif ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
             as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${want[@]}"; } >"$log" 2>&1 </dev/null; then
      tail -5 "$log" >&2
      lacks "${want[*]}: apt-get could not install them"
    fi
    rm -f "$log"
  fi
  has_postgres || lacks "PostgreSQL's initdb and postgres"
  chromium_bin >/dev/null || lacks "Chromium"
  java_ok || lacks "Java 17 or later, for Keycloak"
  [ "$(node_major || echo 0)" -ge 20 ] 2>/dev/null || lacks "Node 20 or later (found: $(node --version 2>/dev/null || echo none)), for the browser journeys"
}

modules() {
  # an empty cache of its own shows what the developer's cache would hide: a module that is not pinned,
  # or that cannot be had any more
  local tmp log
  tmp=$(mktemp -d) log=$tmp/log
  say "Go modules from an empty cache"
  # GOFLAGS makes the cache writable, so that it can be removed again
  if ! GOMODCACHE=$tmp/cache GOFLAGS="${GOFLAGS:-} -modcacherw" go mod tidy -diff >"$tmp/diff" 2>"$log"; then
    grep -v '^go: downloading' "$log" >&2 || true
    head -40 "$tmp/diff" >&2
    lacks "a tidy go.mod and go.sum: run go mod tidy"
  elif ! GOMODCACHE=$tmp/cache GOFLAGS="${GOFLAGS:-} -modcacherw" go mod download >"$log" 2>&1; then
    tail -5 "$log" >&2
    lacks "a Go module that can be downloaded"
  fi
  rm -rf "$tmp"
}

browser() {
  have npm || { lacks "npm"; return; }
  local stamp=e2e/node_modules/.steward-lock
  cmp -s e2e/package-lock.json "$stamp" && return
  say "node packages of e2e/"
  # the browser is the system's own: no package may run a script that fetches another
  if ! (cd e2e && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null); then
    lacks "the node packages of e2e/ (npm ci failed)"
    return
  fi
  cp e2e/package-lock.json "$stamp"
}

keycloak() {
  say "Keycloak"
  scripts/keycloak.sh prepare </dev/null || lacks "Keycloak (scripts/keycloak.sh prepare failed)"
}

for part in "${@:-packages modules browser keycloak}"; do
  for p in $part; do
    case $p in packages|modules|browser|keycloak) "$p" ;; *) sed -n '2,10p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;; esac
  done
done
exit $missing
