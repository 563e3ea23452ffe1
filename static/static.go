// Package static embeds what browsers load: the product's own style sheets and
// scripts, and the vendored files that build.mjs copies from the pinned npm
// packages. Only internal/platform/assets reads it.
package static

import "embed"

// Files holds every file a page may refer to; node_modules is never among them.
//
//go:embed css/*.css js/*.js vendor/*.js font/*.woff2 *.svg
var Files embed.FS
