#!/usr/bin/env bash
# Runs the binary as the container does, without a container: on an empty root that is read-only, as a user
# of no name and group 0, without capabilities, with /data and /tmp as the only places to write. Needs Linux
# and root.
#
#   deploy/container/check.sh BINARY
set -euo pipefail
binary=$(realpath "${1:?usage: check.sh BINARY}")

die() { echo "check.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root, to change it"
if readelf -l "$binary" | grep -q INTERP || readelf -d "$binary" | grep -q NEEDED; then
  die "$binary is not static: build it with CGO_ENABLED=0"
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root"/{data,tmp}
cp "$binary" "$root/steward"
chmod 0755 "$root" "$root/steward"
chmod 0770 "$root/data"
chmod 1777 "$root/tmp"
export root setpriv chroot
setpriv=$(command -v setpriv) chroot=$(command -v chroot)

# shellcheck disable=SC2016 # the inner shell expands
unshare --mount --net bash -euo pipefail -c '
  ip link set lo up
  mount --bind "$root" "$root"
  mount -t tmpfs -o mode=0770 tmpfs "$root/data"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount -o remount,bind,ro "$root"
  as() { exec env -i "$setpriv" --no-new-privs "$chroot" --userspec=12345:0 --groups=0 "$root" "$@"; }
  (as /steward version)
  if (as /steward migrate --database sqlite:/elsewhere.db) 2>/dev/null; then echo "check.sh: the root can be written to" >&2; exit 1; fi
  as /steward serve --listen :8080 --ops-listen= --allow-insecure --database sqlite:/data/steward.db >"$root/tmp/log" 2>&1 &
  server=$!
  trap "kill $server 2>/dev/null || true" EXIT
  for _ in $(seq 150); do curl -fs http://127.0.0.1:8080/readyz >/dev/null && break; sleep 0.2; done
  curl -fs http://127.0.0.1:8080/readyz >/dev/null || { cat "$root/tmp/log" >&2; exit 1; }
  grep -E "^(Uid|Gid|CapEff|NoNewPrivs):" "/proc/$server/status"
  (as /steward backup /data --database sqlite:/data/steward.db)
  kill -TERM $server
  wait $server
'
echo "static, any user id, group 0, read-only root: it serves, backs up and stops"
