package app

import (
	"context"
	"fmt"
	"io"
	"os"

	"steward/internal/area/audit"
	"steward/internal/platform/store"
)

// auditResult is what audit verify prints as JSON.
type auditResult struct {
	Sealed   int    `json:"sealed"`
	Unsealed int    `json:"unsealed"`
	Redacted int    `json:"redacted,omitempty"`
	Purged   int64  `json:"purged,omitempty"`
	Head     string `json:"head"`
	Broken   string `json:"broken,omitempty"` // the first row that does not fit
	Why      string `json:"why,omitempty"`
}

// verifyAudit recomputes the chain of the audit, of the database or of an exported file. It changes nothing; rows
// that the server has not sealed yet are counted, not wrong.
func (c *command) verifyAudit(ctx context.Context) error {
	r, err := c.auditReport(ctx)
	if err != nil {
		return err
	}
	if c.Audit.Verify.JSON {
		err = c.json(auditResult(r))
	} else {
		_, err = fmt.Fprintf(c.out, "sealed    %d\nunsealed  %d\n", r.Sealed, r.Unsealed)
		if err == nil && r.Redacted > 0 {
			_, err = fmt.Fprintf(c.out, "redacted  %d\n", r.Redacted)
		}
		if err == nil && r.Purged > 0 {
			_, err = fmt.Fprintf(c.out, "purged    %d\n", r.Purged)
		}
		if err == nil {
			_, err = fmt.Fprintf(c.out, "head      %s\n", r.Head)
		}
	}
	if err == nil && r.Broken != "" {
		fmt.Fprintf(c.err, "steward: the audit does not fit from here on: %s (%s)\n", r.Broken, r.Why)
		return errFound
	}
	return err
}

func (c *command) auditReport(ctx context.Context) (store.AuditReport, error) {
	v := c.Audit.Verify
	if v.File != "" {
		f, err := os.Open(v.File)
		if err != nil {
			return store.AuditReport{}, err
		}
		defer f.Close()
		return store.VerifyAuditFile(f, v.Head)
	}
	s, err := c.database(ctx, v.Storage)
	if err != nil {
		return store.AuditReport{}, err
	}
	defer s.Close()
	return s.VerifyAudit(ctx, v.Head)
}

// exportAudit writes the sealed record of changes to a new file or to stdout, and its head to stderr.
func (c *command) exportAudit(ctx context.Context) (err error) {
	s, err := c.database(ctx, c.Audit.Export.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	r, err := c.toFile(c.Audit.Export.File, func(to io.Writer) (r store.AuditReport, err error) {
		return audit.Export(asSystem(ctx), s, to)
	})
	if err == nil {
		fmt.Fprintf(c.err, "%s, head %s\n", count(r.Sealed, "row"), r.Head)
	}
	return err
}

// toFile calls write with a new file, or with stdout where none is named.
func (c *command) toFile(name string, write func(io.Writer) (store.AuditReport, error)) (store.AuditReport, error) {
	if name == "" {
		return write(c.out)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return store.AuditReport{}, err
	}
	r, err := write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return r, err
}
