package app

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/itdashboard"
	"steward/internal/exchange/tabular"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
)

// formats are the ones that imports read, with the custom fields of the database.
func formats(s *store.Store) importer.Formats {
	return importer.Formats{itdashboard.Projects{}, itdashboard.Contracts{}, gcspending.Format{}, tabular.For(s)}
}

// shownFindings is how many findings of one kind the report prints as text; --json has them all.
const shownFindings = 50

// importFiles reads files and, with --apply, stores their rows.
func (c *command) importFiles(ctx context.Context) error {
	asked := c.Command.Import
	if all := formats(nil); !slices.Contains(all.Names(), asked.Format) {
		return usage{fmt.Errorf("no format %q: there are %s", asked.Format, strings.Join(all.Names(), ", "))}
	}
	s, err := c.database(ctx, asked.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	format, _ := formats(s).Find(asked.Format)
	files := make([]importer.File, len(asked.Files))
	for i, f := range asked.Files {
		files[i] = importer.Path(f)
	}
	p := newProgress(c.err)
	report, err := importer.Run(asSystem(ctx), s, format, files, importer.Options{Apply: asked.Apply, SkipFaults: asked.SkipFaults,
		Portfolio: asked.Portfolio, Set: asked.Set, Progress: func(step string, done, total int64) { p.step("import: "+step, done, total) }})
	p.end()
	switch {
	case err != nil:
		return err
	case asked.JSON:
		err = c.json(report)
	default:
		err = printReport(c.out, report, asked.Apply)
	}
	if err == nil && !report.OK() {
		return errFound
	}
	return err
}

// printReport writes a report for people.
func printReport(w io.Writer, r *importer.Report, asked bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s of %s\n", r.Format, count(r.Rows, "row"), strings.Join(r.Files, ", "))
	for _, f := range first(r.Faults) {
		fmt.Fprintf(&b, "fault    %s:%d %s\n", f.File, f.Line, sentence(f.Column, f.Value, f.Reason.In(i18n.English), f.Hint.In(i18n.English)))
	}
	more(&b, len(r.Faults), "fault")
	for _, x := range first(r.Warnings) {
		fmt.Fprintf(&b, "warning  %s:%d %s\n", x.File, x.Line, sentence(x.Column, x.Value, x.Reason.In(i18n.English), ""))
	}
	more(&b, len(r.Warnings), "warning")
	for _, d := range first(r.Duplicates) {
		fmt.Fprintf(&b, "again    %s:%d says what line %d said\n", d.File, d.Line, d.Of)
	}
	more(&b, len(r.Duplicates), "duplicate")
	for _, did := range []struct {
		what string
		rows map[string]int
	}{{"created", r.Created}, {"updated", r.Updated}, {"unchanged", r.Unchanged}} {
		for _, name := range importer.Sorted(did.rows) {
			fmt.Fprintf(&b, "%-10s %-14s %d\n", did.what, name, did.rows[name])
		}
	}
	for _, name := range importer.Sorted(r.Totals) {
		for _, currency := range importer.Sorted(r.Totals[name]) {
			fmt.Fprintf(&b, "total      %-14s %s %s\n", name, r.Totals[name][currency], currency)
		}
	}
	switch {
	case r.Applied && len(r.Created)+len(r.Updated) == 0:
		fmt.Fprintln(&b, "Nothing has changed: everything was there already.")
	case r.Applied:
		fmt.Fprintf(&b, "Stored as %s. To take it back: steward import --undo %s\n", r.ChangeSet, r.ChangeSet)
	case asked:
		fmt.Fprintf(&b, "Nothing was stored: %s. --skip-faults stores the other rows.\n", count(len(r.Faults), "fault"))
	default:
		fmt.Fprintln(&b, "Nothing was stored: this was a dry run. --apply stores it.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sentence joins what is known of a finding.
func sentence(column, value, reason, hint string) string {
	text := reason
	if column != "" {
		text = fmt.Sprintf("%s %q: %s", column, value, reason)
	}
	if hint != "" {
		text += " (" + hint + ")"
	}
	return text
}

func first[T any](list []T) []T { return list[:min(len(list), shownFindings)] }

func more(b *strings.Builder, n int, noun string) {
	if n > shownFindings {
		fmt.Fprintf(b, "         and %s; --json has them all\n", count(n-shownFindings, "more "+noun))
	}
}

// undoImport takes one import back.
func (c *command) undoImport(ctx context.Context) error {
	s, err := c.database(ctx, c.Command.Import.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	undone, err := importer.Undo(asSystem(ctx), s, c.Command.Import.Undo)
	switch {
	case err != nil && errs.CodeOf(err) == errs.CodeNotFound:
		return fmt.Errorf("%s is no import", c.Command.Import.Undo)
	case err != nil:
		return err
	case c.Command.Import.JSON:
		return c.json(undone)
	}
	for _, did := range []struct {
		what string
		rows map[string]int
	}{{"removed", undone.Removed}, {"restored", undone.Restored}} {
		for _, name := range importer.Sorted(did.rows) {
			fmt.Fprintf(c.out, "%-10s %-14s %d\n", did.what, name, did.rows[name])
		}
	}
	return nil
}
