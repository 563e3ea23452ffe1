package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"steward/internal/platform/store"
)

func pathOf(databaseURL string) string { return strings.TrimPrefix(databaseURL, "sqlite:") }

// copySQLite writes the database as it is at this instant to an empty file; writers go on meanwhile.
func copySQLite(ctx context.Context, databaseURL, file string, m *Manifest, step Step) error {
	if _, err := os.Stat(pathOf(databaseURL)); err != nil {
		return fmt.Errorf("there is no database to back up: %w", err)
	}
	s, err := store.Open(ctx, databaseURL, store.Options{Pool: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	var size int64
	if err := s.DB.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").Scan(&size); err != nil {
		return err
	}
	err = watched(file, "copying", size, step, func() error {
		_, err := s.DB.ExecContext(ctx, "VACUUM INTO ?", file)
		return err
	})
	if err != nil {
		return fmt.Errorf("the database cannot be copied: %v", err) // not to be taken for a write that was refused
	}
	made, err := unchanged(file)
	if err != nil {
		return err
	}
	defer made.Close()
	return m.describe(ctx, made, step)
}

// unchanged opens a database file for reading without leaving a trace in or beside it.
func unchanged(file string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+file+"?mode=ro&immutable=1")
}

// watched does some work that fills a file and tells how large the file has become meanwhile.
func watched(file, name string, total int64, step Step, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	for {
		if info, err := os.Stat(file); err == nil {
			step(name, min(info.Size(), max(total, 0)), total)
		}
		select {
		case err := <-done:
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// loadSQLite makes the database file from a copy.
func loadSQLite(ctx context.Context, databaseURL, file string, step Step) error {
	path := pathOf(databaseURL)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil { // an empty file is no database yet
		if info.Size() > 0 {
			return errNotEmpty(path)
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	// A journal that another database left behind would be played into this one.
	for _, rest := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Lstat(path + rest); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is left of another database: move it away first", path+rest)
		}
	}
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	part, err := os.CreateTemp(filepath.Dir(path), ".steward-restore-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	err = watched(part.Name(), "restoring", sizeOf(from), step, func() error {
		_, err := io.Copy(part, reader{ctx, from})
		return err
	})
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("the database cannot be restored: %w", err)
	}
	return place(part.Name(), path)
}

func sizeOf(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// reader stops when its context does.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
