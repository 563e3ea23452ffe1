package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/lib/pq"
	"modernc.org/sqlite"

	"steward/ent"
	"steward/internal/rules/errs"
)

// databaseError maps driver errors to codes and keeps their text, which may name
// values of rows the caller cannot see, for the log.
func databaseError(err error) error {
	var invalid *ent.ValidationError
	if errors.As(err, &invalid) {
		return errs.Invalid(invalid.Name, "error.invalid_value").Wrap(err)
	}
	var p *pq.Error
	if errors.As(err, &p) {
		switch {
		case p.Code.Class() == "23":
			return constraint(err)
		case stale(p), p.Code == "57014", p.Code == "55P03", p.Code == "40001", p.Code == "40P01", p.Code.Class() == "57", p.Code.Class() == "08", p.Code.Class() == "53":
			return errs.New(errs.Unavailable, "error.unavailable").Wrap(err)
		case p.Code.Class() == "22":
			return errs.New(errs.Validation, "error.validation").Wrap(err)
		}
		return err
	}
	var l *sqlite.Error
	if errors.As(err, &l) {
		switch l.Code() & 0xff {
		case 19:
			return constraint(err)
		case 5, 6, 13: // busy, locked, full
			return errs.New(errs.Unavailable, "error.unavailable").Wrap(err)
		}
		return err
	}
	var n net.Error
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &n) || strings.Contains(err.Error(), "connection refused") {
		return errs.New(errs.Unavailable, "error.unavailable").Wrap(err)
	}
	if ent.IsConstraintError(err) {
		return constraint(err)
	}
	return err
}

// Aborted reports whether a statement was refused only because one before it in
// the same transaction had failed, as PostgreSQL does: the first error is the one
// to tell.
func Aborted(err error) bool {
	var p *pq.Error
	return errors.As(err, &p) && p.Code == "25P02"
}

// Full reports whether there was no room left for what was to be written: on the disk, or in the
// database within the size it may have.
func Full(err error) bool {
	var p *pq.Error
	var l *sqlite.Error
	return errors.Is(err, syscall.ENOSPC) || errors.As(err, &p) && p.Code == "53100" || errors.As(err, &l) && l.Code()&0xff == 13
}

// constraint does not say which record is in the way: it may be a hidden one.
func constraint(err error) error { return errs.New(errs.Conflict, "error.duplicate").Wrap(err) }
