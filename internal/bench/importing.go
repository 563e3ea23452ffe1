package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Imports are measured against COPY of the rows that they make, into the same tables with
// their indexes and foreign keys: of lines and cells alone, and of their audit rows too, which
// COPY has to be given while an import makes them. Each size has a database of its own.

// imported is what came out for one size.
type imported struct {
	lines        int
	whole        spent
	rows, record spent         // of COPY: lines and cells, and their audit rows
	own          time.Duration // processor time of the command without the database
	memory       float64       // MiB the command had at most
}

// spent is what something took: on the clock, and of processors with the database's part.
type spent struct{ took, cpu time.Duration }

func (s spent) and(t spent) spent { return spent{s.took + t.took, s.cpu + t.cpu} }

// ratio says how fast other work is against this, by the clock and by processor time.
func (s spent) ratio(of spent) string {
	return fmt.Sprintf("%.2f / %.2f", of.took.Seconds()/s.took.Seconds(), of.cpu.Seconds()/s.cpu.Seconds())
}

// importing measures imports of the sizes asked for.
func importing(ctx context.Context, s settings, db *sql.DB) ([]imported, error) {
	dir, err := os.MkdirTemp("", "steward-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var out []imported
	for size := range strings.SplitSeq("10,"+s.lines, ",") { // ten lines are what a command takes that does next to nothing
		lines, err := strconv.Atoi(size)
		if err != nil {
			return nil, err
		}
		x, err := importOf(ctx, s, db, dir, lines)
		if err != nil {
			return nil, fmt.Errorf("%d lines: %w", lines, err)
		}
		log.Printf("%d lines: %v, COPY of their rows %v, of the audit rows %v", lines, x.whole, x.rows, x.record)
		out = append(out, x)
	}
	return out, nil
}

func importOf(ctx context.Context, s settings, db *sql.DB, dir string, lines int) (x imported, err error) {
	name := "steward_import_" + strconv.Itoa(lines)
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return x, err
	}
	defer func() {
		if _, dropped := db.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)"); err == nil {
			err = dropped
		}
	}()
	u, err := url.Parse(s.database)
	if err != nil {
		return x, err
	}
	u.Path = "/" + name
	s.database = u.String()
	if err := command(s, "migrate"); err != nil {
		return x, err
	}
	file := filepath.Join(dir, "spending.csv")
	bad, err := spendingFile(file, lines)
	if err != nil {
		return x, err
	}
	c := exec.CommandContext(ctx, s.program, "import", "--apply", "--skip-faults", "gc-planned-actual", file)
	c.Env = append(os.Environ(), "STEWARD_DATABASE="+s.database)
	end, err := clock(ctx, db)
	if err != nil {
		return x, err
	}
	said, err := c.CombinedOutput()
	x = imported{lines: lines, whole: end()}
	var found *exec.ExitError
	if err != nil && (bad == 0 || !errors.As(err, &found)) { // bad lines are told by the exit code too
		return x, fmt.Errorf("%w\n%.2000s", err, said)
	}
	x.own = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	x.whole.cpu += x.own
	if r, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		x.memory = float64(r.Maxrss) / 1024
	}
	own, err := sql.Open("postgres", s.database)
	if err != nil {
		return x, err
	}
	defer own.Close()
	var stored int
	if err := own.QueryRowContext(ctx, "SELECT count(*) FROM budget_cells c JOIN budget_lines l ON l.id = c.line_id AND l.planned_total = c.planned").Scan(&stored); err != nil || stored != lines-bad {
		return x, fmt.Errorf("%d lines are stored, not %d: %w\n%.2000s", stored, lines-bad, err, said)
	}
	if x.rows, err = copies(ctx, db, s.database, dir, "budget_lines", "budget_cells"); err != nil {
		return x, err
	}
	x.record, err = copies(ctx, db, s.database, dir, "change_events")
	return x, err
}

// copies empties tables and says how long COPY takes to fill them again.
func copies(ctx context.Context, db *sql.DB, database, dir string, tables ...string) (x spent, err error) {
	var own time.Duration
	psql := func(q string) {
		if err == nil {
			c := exec.CommandContext(ctx, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", q, database)
			var said []byte
			if said, err = c.CombinedOutput(); err != nil {
				err = fmt.Errorf("%s: %w\n%s", q, err, said)
			}
			own += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		}
	}
	for _, t := range tables {
		psql("\\copy " + t + " TO '" + filepath.Join(dir, t) + "'")
	}
	psql("TRUNCATE " + strings.Join(tables, ", ") + " CASCADE")
	end, err := clock(ctx, db)
	if err != nil {
		return x, err
	}
	own = 0
	for _, t := range tables {
		psql("\\copy " + t + " FROM '" + filepath.Join(dir, t) + "'")
	}
	x = end()
	x.cpu += own
	return x, err
}

// clock starts to measure; the function it returns says what was spent by then, of processors
// what the database did.
func clock(ctx context.Context, db *sql.DB) (func() spent, error) {
	postmaster, err := postmasterOf(ctx, db)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	cpu, _ := usage(postmaster)
	return func() spent {
		now, _ := usage(postmaster)
		return spent{time.Since(began), now - cpu}
	}, nil
}

// spendingFile writes a file of planned and actual spending with 2,201 bad lines in a million.
func spendingFile(path string, lines int) (bad int, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "fy_ef,organization_id,organization,core_responsibility,program_id,program_name,planned_spending_1,actual_spending")
	for i := range lines {
		planned := strconv.Itoa(100_000 + i)
		if (i+1)*2201/1_000_000 > i*2201/1_000_000 {
			planned = "see note"
			bad++
		}
		fmt.Fprintf(w, "2020-21,%d,Office %d,Services to people,P%07d,Program number %d,%s,%d.25\n", i%50, i%50, i, i, planned, i)
	}
	return bad, w.Flush()
}

// importTable writes the figures as Markdown. Ratios are by the clock and by processor time.
func importTable(list []imported) string {
	var b strings.Builder
	b.WriteString("| lines | lines/s | took | CPU, of it the command | COPY of lines and cells | ratio | COPY with audit rows | ratio | most memory, MiB | more than for ten lines |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, x := range list[1:] {
		both := x.rows.and(x.record)
		fmt.Fprintf(&b, "| %d | %.0f | %.1f s | %.1f s, %.1f s | %.1f s | %s | %.1f s | %s | %.0f | %.0f |\n", x.lines, float64(x.lines)/x.whole.took.Seconds(), x.whole.took.Seconds(),
			x.whole.cpu.Seconds(), x.own.Seconds(), x.rows.took.Seconds(), x.whole.ratio(x.rows), both.took.Seconds(), x.whole.ratio(both), x.memory, x.memory-list[0].memory)
	}
	return b.String()
}
