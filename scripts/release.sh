#!/usr/bin/env bash
# Builds dist/: one static binary a platform, packed with LICENSE, NOTICE and README, and SHA256SUMS.
# The same commit and Go version give the same binaries.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${VERSION:?set by the Makefile}
case $version in
  *-dirty) echo "release: there are uncommitted changes" >&2; exit 1 ;;
esac
rm -rf dist
mkdir -p dist
for platform in ${PLATFORMS:-linux/amd64 linux/arm64 darwin/arm64}; do
  os=${platform%/*} arch=${platform#*/}
  name=steward-$version-$os-$arch
  echo "$name"
  mkdir "dist/$name"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w ${LDFLAGS:-}" -o "dist/$name/steward" ./cmd/steward
  cp LICENSE NOTICE README.md "dist/$name/"
  tar -C dist --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -czf "dist/$name.tar.gz" "$name"
  rm -r "dist/${name:?}"
done
(cd dist && sha256sum ./*.tar.gz >SHA256SUMS)
cat dist/SHA256SUMS
