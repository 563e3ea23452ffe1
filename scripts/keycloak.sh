#!/usr/bin/env bash
# A real Keycloak on a loopback port, for development and tests. Needs Java 17 or later, and mvn
# (or KEYCLOAK_ZIP) for the first start.
#
#   keycloak.sh start    fetch, build and fill it (first time only), start it, print its issuer
#   keycloak.sh url      print the issuer URL (exit 3 when it is not running)
#   keycloak.sh stop     stop it by its pid file
#   keycloak.sh prepare  only fetch, build and fill (for a CI cache); starts nothing
#   keycloak.sh log      print the path of the server's log
#
# Environment (all optional):
#   KEYCLOAK_VERSION     default 26.7.3
#   KEYCLOAK_SHA256      checksum of the distribution's zip; known for the default version
#   KEYCLOAK_ZIP         a zip that is already here, instead of fetching one with mvn
#   KEYCLOAK_CACHE       default ${XDG_CACHE_HOME:-$HOME/.cache}/steward/keycloak-VERSION
#   KEYCLOAK_RUN         pid, log and database of this instance; default ${TMPDIR:-/tmp}/steward-keycloak-UID
#   KEYCLOAK_PORT        loopback port, default 18080; 0 = any free one
#   KEYCLOAK_REALM_FILE  default deploy/keycloak/steward-realm.json of this repository
#   KEYCLOAK_KEEP        1 = go on with the database of the last run; default: a fresh copy at every start
#   KEYCLOAK_JAVA_HOME   default: the newest Java found (17 or later)
#   KEYCLOAK_HEAP        default 512m
#   KEYCLOAK_TIMEOUT     seconds to wait for readiness, default 180
#   KC_BOOTSTRAP_ADMIN_USERNAME, KC_BOOTSTRAP_ADMIN_PASSWORD   default admin / admin
#   STEWARD_BASE_URL     where browsers find Steward, default http://localhost:8080
#   STEWARD_INTERNAL_URL where Keycloak finds it (back-channel logout), default http://127.0.0.1:8080
#   and every other NAME that the realm file mentions as ${NAME} or ${NAME:default}.
# Keycloak puts the text ${NAME} itself where NAME is not set, also as a client's secret:
# so a name without a default must be set, or this script refuses.
set -euo pipefail
umask 077

here=$(cd "$(dirname "$0")" && pwd)
version=${KEYCLOAK_VERSION:-26.7.3}
cache=${KEYCLOAK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/steward/keycloak-$version}
run=${KEYCLOAK_RUN:-${TMPDIR:-/tmp}/steward-keycloak-$(id -u)}
realm_file=${KEYCLOAK_REALM_FILE:-$here/../deploy/keycloak/steward-realm.json}
heap=${KEYCLOAK_HEAP:-512m}
dist=$cache/dist/keycloak-$version
sum=${KEYCLOAK_SHA256:-}
[ -n "$sum" ] || [ "$version" != 26.7.3 ] || sum=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f
# what is fixed at build time: no clustering, the file database, no desktop-bus lookups
build_opts="--db=dev-file --cache=local --features-disabled=kerberos,twitter-broker"

# development values for the names in our own realm file
export STEWARD_BASE_URL=${STEWARD_BASE_URL:-http://localhost:8080}
export STEWARD_INTERNAL_URL=${STEWARD_INTERNAL_URL:-http://127.0.0.1:8080}
export STEWARD_OIDC_CLIENT_SECRET=${STEWARD_OIDC_CLIENT_SECRET:-steward-web-dev-secret}
export STEWARD_INT_DEMO_SECRET=${STEWARD_INT_DEMO_SECRET:-int-demo-dev-secret}
export STEWARD_DEMO_PASSWORD=${STEWARD_DEMO_PASSWORD:-Steward-Demo-2026}
export KC_BOOTSTRAP_ADMIN_USERNAME=${KC_BOOTSTRAP_ADMIN_USERNAME:-admin}
export KC_BOOTSTRAP_ADMIN_PASSWORD=${KC_BOOTSTRAP_ADMIN_PASSWORD:-admin}

die() { echo "keycloak.sh: $*" >&2; exit 1; }
say() { echo "keycloak.sh: $*" >&2; }
need() { command -v "$1" >/dev/null || die "needs $1"; }

java_major() { "$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1; }

find_java() {
  local d m best= best_m=0
  if [ -n "${KEYCLOAK_JAVA_HOME:-}" ]; then echo "$KEYCLOAK_JAVA_HOME"; return; fi
  for d in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* "$(readlink -f "$(command -v java || echo /nowhere/bin/java)" | sed 's,/bin/java$,,')"; do
    [ -n "$d" ] && [ -x "$d/bin/java" ] || continue
    m=$(java_major "$d")
    [ "${m:-0}" -gt "$best_m" ] && { best=$d; best_m=$m; }
  done
  [ "$best_m" -ge 17 ] || die "needs Java 17 or later (found: ${best_m})"
  echo "$best"
}

hash_of() { sha256sum | cut -c1-16; }

# the names that the realm file takes from the environment
realm_names() { grep -oE '\$\{[A-Za-z_][A-Za-z0-9_]*(:[^}]*)?\}' "$realm_file" | sort -u; }

check_names() {
  local x n
  for x in $(realm_names | grep -v : | tr -d '${}'); do
    n=$x
    [ -n "${!n:-}" ] || die "$realm_file mentions \${$n}, which is not set"
  done
}

fetch() {
  [ -x "$dist/bin/kc.sh" ] && return
  local tmp=$cache/fetch.$$ zip
  mkdir -p "$tmp"
  if [ -n "${KEYCLOAK_ZIP:-}" ]; then zip=$KEYCLOAK_ZIP
  else
    need mvn
    say "fetching Keycloak $version (about 170 MiB)"
    # a repository of its own, thrown away: the zip is not kept twice
    mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
      -Dartifact="org.keycloak:keycloak-quarkus-dist:$version:zip" -DoutputDirectory="$tmp" \
      -Dmaven.repo.local="$tmp/m2" >"$tmp/mvn.log" 2>&1 || { tail -5 "$tmp/mvn.log" >&2; rm -rf "$tmp"; die "mvn could not fetch it"; }
    zip=$tmp/keycloak-quarkus-dist-$version.zip
  fi
  if [ -n "$sum" ]; then
    echo "$sum  $zip" | sha256sum -c --quiet - >&2 || { rm -rf "$tmp"; die "the zip's checksum is not the expected one"; }
  else say "no checksum known for $version: not verified"; fi
  mkdir -p "$tmp/dist"
  if command -v unzip >/dev/null; then unzip -q "$zip" -d "$tmp/dist"
  elif [ -x "$JAVA_HOME/bin/jar" ]; then (cd "$tmp/dist" && "$JAVA_HOME/bin/jar" xf "$zip")
  else need python3; python3 -m zipfile -e "$zip" "$tmp/dist"; fi
  chmod +x "$tmp"/dist/*/bin/*.sh
  mkdir -p "$cache/dist"
  rm -rf "$dist"
  mv "$tmp/dist/keycloak-$version" "$dist"
  rm -rf "$tmp"
}

build() {
  local stamp=$cache/built
  [ "$(cat "$stamp" 2>/dev/null)" != "$build_opts" ] || return 0
  say "building (once, about 25 s)"
  # shellcheck disable=SC2086
  "$dist/bin/kc.sh" build $build_opts >"$cache/build.log" 2>&1 || { tail -20 "$cache/build.log" >&2; die "the build failed"; }
  echo "$build_opts" >"$stamp"
}

db_url() { echo "jdbc:h2:file:$1/keycloakdb;NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=0"; }
# C1 only, and (below) an archive of the classes: quicker to start. The JVM grumbles about the
# archive's module options ([cds] lines), which only costs a part of the gain: silenced
jvm_opts="-Xms64m -Xmx$heap -XX:MetaspaceSize=96M -XX:MaxMetaspaceSize=256m -Dfile.encoding=UTF-8 -XX:+ExitOnOutOfMemoryError -XX:+UseG1GC -XX:TieredStopAtLevel=1 -Xshare:auto -Xlog:cds=off"

# fill makes a database with the realm in it, once for each content of the realm file and its
# variables; a start then copies 2 MB instead of creating the schema (20 s)
fill() {
  local x n key vars=
  for x in $(realm_names | sed 's/[${}]//g; s/:.*//' | sort -u); do n=$x; vars+="$n=${!n-<unset>}"$'\n'; done
  key=$(printf '%s\n%s\n%s\n%s\n%s\n' "$version" "$KC_BOOTSTRAP_ADMIN_USERNAME" "$KC_BOOTSTRAP_ADMIN_PASSWORD" "$vars" "$(cat "$realm_file")" | hash_of)
  template=$cache/db/$key
  jsa=$cache/classes-$(printf '%s' "$JAVA_HOME $("$JAVA_HOME/bin/java" -version 2>&1) $build_opts $jvm_opts" | hash_of).jsa
  [ -f "$template/keycloakdb.mv.db" ] && return
  say "importing $(basename "$realm_file") (once for each content, about 25 s)"
  local tmp=$cache/db/.tmp.$$ more=
  rm -rf "$tmp"; mkdir -p "$tmp"
  [ -s "$jsa" ] || more="-XX:ArchiveClassesAtExit=$jsa.$$"
  KC_DB_URL=$(db_url "$tmp") JAVA_OPTS="$jvm_opts $more" \
    "$dist/bin/kc.sh" import --optimized --file "$realm_file" >"$cache/import.log" 2>&1 </dev/null ||
    { grep -E 'ERROR|WARN' "$cache/import.log" | tail -20 >&2; rm -rf "$tmp"; die "the import failed; see $cache/import.log"; }
  [ ! -s "$jsa.$$" ] || mv "$jsa.$$" "$jsa"
  rm -f "$tmp"/*.trace.db
  mv "$tmp" "$template"
}

prepare() {
  [ -r "$realm_file" ] || die "cannot read $realm_file"
  realm_file=$(cd "$(dirname "$realm_file")" && pwd)/$(basename "$realm_file")
  check_names
  JAVA_HOME=$(find_java); export JAVA_HOME
  mkdir -p "$cache"
  # two that start at once: one prepares, the other waits
  if command -v flock >/dev/null; then exec 9>"$cache/lock"; flock -w 600 9; fi
  fetch; build; fill
  if command -v flock >/dev/null; then exec 9>&-; fi
}

# alive: the pid in the file is a process, and it is this Keycloak (a pid can come back as another program)
alive() {
  [ -s "$run/pid" ] || return 1
  pid=$(cat "$run/pid")
  kill -0 "$pid" 2>/dev/null || return 1
  case "$(ps -o args= -p "$pid" 2>/dev/null)" in *kc.sh*) ;; *) return 1 ;; esac
}

free_port() {
  if command -v perl >/dev/null; then
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen=>1,LocalAddr=>"127.0.0.1",LocalPort=>0)->sockport'
  else need python3; python3 -c 'import socket;s=socket.socket();s.bind(("127.0.0.1",0));print(s.getsockname()[1])'; fi
}

start() {
  if alive && [ -s "$run/url" ]; then say "already running (pid $pid)"; cat "$run/url"; return; fi
  need curl
  prepare
  mkdir -p "$run"
  local port=${KEYCLOAK_PORT:-18080} realm url i
  [ "$port" != 0 ] || port=$(free_port)
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then die "port $port is in use"; fi
  realm=$(sed -n 's/^ *"realm" *: *"\([^"]*\)".*/\1/p' "$realm_file" | head -1)
  if [ "${KEYCLOAK_KEEP:-}" != 1 ] || [ ! -f "$run/db/keycloakdb.mv.db" ]; then
    rm -rf "$run/db"; mkdir -p "$run/db"; cp "$template/keycloakdb.mv.db" "$run/db/"
  fi
  url=http://127.0.0.1:$port/realms/$realm
  local more=
  [ ! -s "$jsa" ] || more="-XX:SharedArchiveFile=$jsa"
  # --hostname pins the issuer: without it the issuer follows the request's Host header
  KC_DB_URL=$(db_url "$run/db") JAVA_OPTS="$jvm_opts $more" \
    setsid "$dist/bin/kc.sh" start --optimized --http-enabled=true --http-host=127.0.0.1 --http-port="$port" \
    --hostname="http://127.0.0.1:$port" >"$run/keycloak.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$run/pid"
  for ((i = 0; i < ${KEYCLOAK_TIMEOUT:-180} * 5; i++)); do
    if curl -fs -m 2 -o /dev/null "$url/.well-known/openid-configuration"; then
      echo "$url" >"$run/url"; echo "$url"; return
    fi
    kill -0 "$pid" 2>/dev/null || { tail -20 "$run/keycloak.log" >&2; rm -f "$run/pid"; die "it stopped at once"; }
    sleep 0.2
  done
  stop; die "not ready in time; see $run/keycloak.log"
}

stop() {
  if ! alive; then say "not running"; rm -f "$run/pid" "$run/url"; return 0; fi
  local i children
  children=$(ps -o pid= --ppid "$pid" | tr -d ' ')
  kill -TERM "$pid" # kc.sh hands it on to java
  for ((i = 0; i < 100; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
  if kill -0 "$pid" 2>/dev/null; then
    # shellcheck disable=SC2086
    kill -KILL $children "$pid" 2>/dev/null || true
  fi
  rm -f "$run/pid" "$run/url"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  url) alive && [ -s "$run/url" ] || { say "not running"; exit 3; }; cat "$run/url" ;;
  prepare) prepare ;;
  log) echo "$run/keycloak.log" ;;
  *) sed -n '2,28p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
