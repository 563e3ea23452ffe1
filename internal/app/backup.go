package app

import (
	"context"
	"fmt"

	"steward/internal/area/budget"
	"steward/internal/platform/backup"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
)

// backup copies the database into one file, whatever its migrations: it is what one does before an upgrade.
func (c *command) backup(ctx context.Context) error {
	p := newProgress(c.err)
	file, m, err := backup.Write(ctx, c.Backup.Database.URL(), c.Backup.Dest, obs.Build().Version, func(name string, done, total int64) { p.step("backup: "+name, done, total) })
	p.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "The key file is not part of the backup. Without it stored secrets stay unreadable: keep a copy of it elsewhere.\n")
	_, err = fmt.Fprintf(c.out, "%s\n%s\n%d bytes, %d rows in %d tables, sha256 %s\n", file, backup.ManifestOf(file), m.Bytes, rowsOf(m), len(m.Rows), m.SHA256)
	return err
}

func rowsOf(m *backup.Manifest) (n int64) {
	for _, rows := range m.Rows {
		n += rows
	}
	return n
}

// restore fills an empty database from a backup, brings it to this program's schema and, if asked, checks all
// that can be checked.
func (c *command) restore(ctx context.Context) error {
	url, file, verify := c.Restore.Database.URL(), c.Restore.Source, c.Restore.Verify
	m, err := backup.Read(file)
	if err != nil {
		return err
	}
	if err := m.Fits(url); err != nil {
		return err
	}
	p := newProgress(c.err)
	defer p.end()
	step := func(name string, done, total int64) { p.step("restore: "+name, done, total) }
	wrong := 0
	tell := func(found []string, err error) error {
		p.end()
		for _, f := range found {
			fmt.Fprintln(c.err, "steward: "+f)
		}
		wrong += len(found)
		return err
	}
	if err := m.Check(ctx, file, step); err != nil {
		return err
	}
	if err := m.Load(ctx, url, file, step); err != nil {
		return err
	}
	if verify {
		if err := tell(c.verifyCopy(ctx, m, step)); err != nil {
			return err
		}
	}
	step("migrating", 0, 0)
	applied, err := store.Migrate(ctx, url)
	if err != nil {
		return err
	}
	if verify {
		if err := tell(c.verifyData(ctx, m, step)); err != nil {
			return err
		}
	}
	p.end()
	said := "restored"
	switch {
	case wrong > 0:
		return errFound
	case verify:
		said = "restored and verified"
	}
	_, err = fmt.Fprintf(c.out, "%s: %d rows in %d tables, as of %s, by Steward %s; %s applied\n", said, rowsOf(m), len(m.Rows), m.At.Format("2006-01-02 15:04:05Z"), m.Steward, count(applied, "migration"))
	return err
}

// verifyCopy compares what was loaded with the manifest, before newer migrations change it.
func (c *command) verifyCopy(ctx context.Context, m *backup.Manifest, step backup.Step) ([]string, error) {
	s, err := store.Open(ctx, c.Restore.Database.URL(), store.Options{Pool: 2})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	missing, err := m.Missing(ctx, s, step)
	if err != nil {
		return nil, err
	}
	step("foreign keys", 0, 0)
	keys, err := backup.DanglingKeys(ctx, s)
	return append(missing, keys...), err
}

// verifyData checks what only this program understands: the record of changes up to the head that the manifest
// names, and the totals.
func (c *command) verifyData(ctx context.Context, m *backup.Manifest, step backup.Step) (found []string, err error) {
	s, err := connect(ctx, c.Restore.Database, store.Options{Pool: 2})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	step("record of changes", 0, 0)
	r, err := s.VerifyAudit(ctx, m.AuditHead)
	if err != nil {
		return nil, err
	}
	if r.Broken != "" {
		found = append(found, fmt.Sprintf("the audit does not fit from here on: %s (%s)", r.Broken, r.Why))
	}
	step("totals", 0, 0)
	totals, err := budget.CheckTotals(asSystem(ctx), s)
	for _, d := range totals {
		found = append(found, d.String())
	}
	return found, err
}
