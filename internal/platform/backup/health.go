package backup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"entgo.io/ent/dialect"

	"steward/internal/platform/store"
)

// Free returns how many bytes may still be written where a file or folder lies or, where there is none so far,
// would lie.
func Free(path string) (int64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(path, &s)
	for err == syscall.ENOENT && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		err = syscall.Statfs(path, &s)
	}
	if err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// Newest returns when the newest complete backup in a folder was made, the zero time when there is none.
func Newest(folder string) (newest time.Time, err error) {
	names, err := os.ReadDir(folder)
	if err != nil {
		return newest, err
	}
	for _, e := range names {
		file, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		file = filepath.Join(folder, file)
		if _, err := os.Stat(file); err != nil {
			continue
		}
		if m, err := Read(file); err == nil && m.At.After(newest) {
			newest = m.At
		}
	}
	return newest, nil
}

// Rights are what the database lets this program do that it should not be able to.
type Rights struct {
	Superuser bool
	// Rewrites names the audit tables whose rows it could change or delete.
	Rewrites []string
}

// RightsOf asks PostgreSQL what the role may do. In SQLite whoever opens the file may do anything.
func RightsOf(ctx context.Context, s *store.Store) (r Rights, err error) {
	if s.Dialect != dialect.Postgres {
		return r, errors.New("SQLite knows no rights")
	}
	if err = s.DB.QueryRowContext(ctx, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user").Scan(&r.Superuser); err != nil {
		return r, err
	}
	r.Rewrites, err = texts(ctx, s.DB, `SELECT relname FROM pg_class WHERE oid IN (to_regclass('change_events'), to_regclass('audit_seals'))
  AND has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE') ORDER BY 1`)
	return r, err
}

// ClockOf returns how far the database's clock is ahead of now, to half of the time that asking took.
func ClockOf(ctx context.Context, s *store.Store, now func() time.Time) (time.Duration, error) {
	asked := now()
	var theirs time.Time
	if err := s.DB.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
		return 0, err
	}
	took := now().Sub(asked)
	return theirs.Sub(asked.Add(took / 2)), nil
}
