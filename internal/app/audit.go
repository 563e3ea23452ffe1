package app

import (
	"context"
	"fmt"
)

// auditResult is what audit verify prints as JSON.
type auditResult struct {
	Sealed   int    `json:"sealed"`
	Unsealed int    `json:"unsealed"`
	Head     string `json:"head"`
	Broken   string `json:"broken,omitempty"` // the first row that does not fit
	Why      string `json:"why,omitempty"`
}

// verifyAudit recomputes the chain of the audit. It changes nothing; rows that the server has not sealed yet
// are counted, not wrong.
func (c *command) verifyAudit(ctx context.Context) error {
	s, err := c.database(ctx, c.Audit.Verify.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	r, err := s.VerifyAudit(ctx, "")
	if err != nil {
		return err
	}
	if c.Audit.Verify.JSON {
		err = c.json(auditResult{r.Sealed, r.Unsealed, r.Head, r.Broken, r.Why})
	} else {
		_, err = fmt.Fprintf(c.out, "sealed    %d\nunsealed  %d\nhead      %s\n", r.Sealed, r.Unsealed, r.Head)
	}
	if err == nil && r.Broken != "" {
		fmt.Fprintf(c.err, "steward: the audit does not fit from here on: %s (%s)\n", r.Broken, r.Why)
		return errFound
	}
	return err
}
