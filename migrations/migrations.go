// Package migrations embeds the versioned migrations of both databases. They
// are planned from ent/schema by `make migration name=…`, applied in order by
// internal/platform/store, and never edited once released; there is no way back
// but a backup.
package migrations

import "embed"

// Files holds the folders sqlite and postgres.
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
