// Package backup copies the whole database into one file beside a running server, with a manifest that
// says what must be in it, and loads such a file into an empty database. The encryption key is never part
// of it: a copy of the database alone must decrypt nothing.
//
// internal/app uses it for `steward backup`, `restore` and `doctor`. PostgreSQL is copied by its own
// pg_dump and pg_restore, SQLite by itself.
package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"entgo.io/ent/dialect"

	"steward/internal/platform/store"
)

// Manifest says what a backup holds. It lies beside the copy, under its name and ".json", and is written
// last: a copy without one is not complete.
type Manifest struct {
	Dialect   string           `json:"dialect"`
	Steward   string           `json:"steward"` // version of the program that wrote it
	Schema    int64            `json:"schema"`  // the newest migration in it
	At        time.Time        `json:"at"`
	AuditHead string           `json:"auditHead"` // hash of the last seal, "" before the first
	Rows      map[string]int64 `json:"rows"`      // of every table
	Bytes     int64            `json:"bytes"`
	SHA256    string           `json:"sha256"`
}

// Step hears what is being done and how far it is; total is 0 while that is not known.
type Step func(name string, done, total int64)

// ManifestOf returns the path of the manifest that belongs to a copy.
func ManifestOf(copied string) string { return copied + ".json" }

// Write copies the database at databaseURL to dest, a file that does not exist or a folder, in which the
// copy gets a name with the date. It returns the path of the copy. Both files get their names only once
// they are complete, nothing is ever overwritten, and nothing is left behind when it fails.
func Write(ctx context.Context, databaseURL, dest, version string, step Step) (file string, m *Manifest, err error) {
	d, err := store.Dialect(databaseURL)
	if err != nil {
		return "", nil, err
	}
	m = &Manifest{Dialect: d, Steward: version, At: time.Now().UTC().Truncate(time.Second)}
	if file, err = target(dest, m); err != nil {
		return "", nil, err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".steward-backup-*") // mode 0600
	if err != nil {
		return "", nil, fmt.Errorf("the backup cannot be written: %w", err)
	}
	defer os.Remove(part.Name())
	if err := part.Close(); err != nil {
		return "", nil, err
	}
	copyTo := copyPostgres
	if d == dialect.SQLite {
		copyTo = copySQLite
	}
	if err := copyTo(ctx, databaseURL, part.Name(), m, step); err != nil {
		return "", nil, err
	}
	if err := synced(part.Name()); err != nil {
		return "", nil, err
	}
	if m.SHA256, m.Bytes, err = sum(ctx, part.Name(), step); err != nil {
		return "", nil, err
	}
	if err := place(part.Name(), file); err != nil {
		return "", nil, err
	}
	if err := writeManifest(file, m); err != nil {
		return "", nil, errors.Join(err, os.Remove(file))
	}
	return file, m, nil
}

// target returns the file that dest stands for.
func target(dest string, m *Manifest) (string, error) {
	info, err := os.Stat(dest)
	if err == nil && info.IsDir() {
		ending := ".dump"
		if m.Dialect == dialect.SQLite {
			ending = ".db"
		}
		dest = filepath.Join(dest, "steward-"+m.At.Format("20060102T150405Z")+ending)
	}
	for _, file := range []string{dest, ManifestOf(dest)} {
		if _, err := os.Lstat(file); err == nil {
			return "", fmt.Errorf("%s exists: a backup never overwrites anything", file)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("the backup cannot be written: %w", err)
		}
	}
	return dest, nil
}

// place gives a complete file its name, which nobody may have taken meanwhile. A link fails where there is
// one; file systems without links leave a short gap between looking and renaming.
func place(part, file string) error {
	err := os.Link(part, file)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s exists: a backup never overwrites anything", file)
	case err != nil:
		if _, there := os.Lstat(file); there == nil {
			return fmt.Errorf("%s exists: a backup never overwrites anything", file)
		}
		if err := os.Rename(part, file); err != nil {
			return fmt.Errorf("the backup cannot be written: %w", err)
		}
	}
	return synced(filepath.Dir(file))
}

func writeManifest(file string, m *Manifest) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".steward-backup-*")
	if err != nil {
		return fmt.Errorf("the manifest cannot be written: %w", err)
	}
	defer os.Remove(part.Name())
	_, err = part.Write(append(text, '\n'))
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("the manifest cannot be written: %w", err)
	}
	return place(part.Name(), ManifestOf(file))
}

// synced returns once a file, or the names in a folder, have reached the disk.
func synced(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Read returns the manifest of a copy without looking into the copy.
func Read(file string) (*Manifest, error) {
	text, err := os.ReadFile(ManifestOf(file))
	if err != nil {
		return nil, fmt.Errorf("the manifest beside %s cannot be read: %w", file, err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil || m.SHA256 == "" || m.Dialect == "" {
		return nil, fmt.Errorf("%s is not the manifest of a backup", ManifestOf(file))
	}
	return m, nil
}

// Check says whether a copy is, byte for byte, the one that was written.
func (m *Manifest) Check(ctx context.Context, file string, step Step) error {
	got, size, err := sum(ctx, file, step)
	if err != nil {
		return err
	}
	if got != m.SHA256 {
		return fmt.Errorf("%s is damaged: its SHA-256 is %s (%d bytes), the manifest says %s (%d bytes)", file, got, size, m.SHA256, m.Bytes)
	}
	return nil
}

// sum returns the SHA-256 of a file and its size.
func sum(ctx context.Context, file string, step Step) (string, int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", 0, fmt.Errorf("the copy cannot be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	h, size := sha256.New(), int64(0)
	for buffer := make([]byte, 1<<20); ; {
		n, err := f.Read(buffer)
		h.Write(buffer[:n])
		size += int64(n)
		step("checksum", size, info.Size())
		switch {
		case err == io.EOF:
			return hex.EncodeToString(h.Sum(nil)), size, nil
		case err != nil:
			return "", 0, fmt.Errorf("the copy cannot be read: %w", err)
		case ctx.Err() != nil:
			return "", 0, ctx.Err()
		}
	}
}

// asker asks a database or a transaction.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// describe fills in what the manifest says of the data, as q sees them.
func (m *Manifest) describe(ctx context.Context, q asker, step Step) (err error) {
	if m.Rows, err = countRows(ctx, q, m.Dialect, step); err != nil {
		return err
	}
	if _, ours := m.Rows["goose_db_version"]; !ours || !has(m.Rows, "audit_heads") {
		return errors.New("this is no database of Steward's")
	}
	if err := q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&m.Schema); err != nil {
		return err
	}
	err = q.QueryRowContext(ctx, "SELECT hash FROM audit_heads").Scan(&m.AuditHead)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

func has(rows map[string]int64, table string) bool { _, ok := rows[table]; return ok }
