package importer_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// manyLines is how long the large file is: a million lines in the soak.
func manyLines() (lines, bad int) {
	lines = 20_000
	if testkit.Soak(1) > 1 {
		lines = 1_000_000
	}
	return lines, lines * 2201 / 1_000_000
}

// manyFile writes a spending file with bad lines of five kinds, evenly spread.
func manyFile(t *testing.T, lines, bad int) importer.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "many.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(file)
	_, _ = w.WriteString("fy_ef,organization_id,organization,core_responsibility,program_id,program_name,planned_spending_1,actual_spending\n")
	every, made := lines/bad, 0
	for i := range lines {
		year, planned, actual, name := "2020-21", fmt.Sprint(100_000+i), fmt.Sprintf("%d.25", i), fmt.Sprint("Program number ", i)
		if i%every == every/2 && made < bad {
			switch made++; made % 5 {
			case 0:
				planned = "see note"
			case 1:
				year = "never"
			case 2:
				name = ""
			case 3:
				actual = "1.23456"
			case 4:
				name = "a\x00b"
			}
		}
		fmt.Fprintf(w, "%s,%d,Office %d,Services to people,P%07d,%s,%s,%s\n", year, i%50, i%50, i, name, planned, actual)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	if made != bad {
		t.Fatalf("%d bad lines, not %d", made, bad)
	}
	return importer.Path(path)
}

// peak samples the heap until stop is called, which returns the most it was above the beginning.
func peak() (stop func() uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	start := m.HeapAlloc
	var most atomic.Uint64
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapAlloc))
			select {
			case <-end:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(end); <-ended; return (most.Load() - min(start, most.Load())) >> 20 }
}

// TestManyLines (IM-1): every bad line of a large file is reported and nothing stored; without them it is
// stored, in bounded memory. It prints how that compares with COPY of the same rows.
func TestManyLines(t *testing.T) {
	lines, bad := manyLines()
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		file := []importer.File{manyFile(t, lines, bad)}
		heap, begun := peak(), time.Now()
		none := run(t, s, gcspending.Format{}, file, importer.Options{Apply: true})
		took, grown := time.Since(begun), heap()
		at := map[int]bool{}
		kinds := map[string]int{}
		for _, f := range none.Faults {
			at[f.Line] = true
			kinds[f.Reason.Key]++
		}
		if none.Applied || len(at) != bad || len(kinds) != 5 || one(t, s, "SELECT COUNT(*) FROM budget_lines") != "0" || one(t, s, "SELECT COUNT(*) FROM portfolios") != "0" {
			t.Fatalf("%d of %d bad lines of %v, applied %v", len(at), bad, kinds, none.Applied)
		}
		t.Logf("%s: %d lines with %d bad ones read in %s, %.0f lines a second, %d MB of heap", s.Dialect, lines, bad, took.Round(time.Millisecond), float64(lines)/took.Seconds(), grown)
		heap, begun = peak(), time.Now()
		rep := run(t, s, gcspending.Format{}, file, importer.Options{Apply: true, SkipFaults: true})
		took, grown = time.Since(begun), heap()
		if !rep.Applied || rep.Created["BudgetLine"] != lines-bad || one(t, s, "SELECT COUNT(*) FROM budget_cells") != fmt.Sprint(lines-bad) {
			t.Fatalf("%v %v", rep.Applied, rep.Created)
		}
		t.Logf("%s: stored in %s, %.0f lines a second, %d MB of heap", s.Dialect, took.Round(time.Millisecond), float64(lines)/took.Seconds(), grown)
		if grown > 400 {
			t.Errorf("the heap grew by %d MB", grown)
		}
		if s.Dialect == "postgres" {
			plain := copied(t, s, "budget_lines", "budget_cells")
			t.Logf("COPY of the same rows into the same indexed tables: %s, %.2f of its speed with checks and record of changes", plain.Round(time.Millisecond), plain.Seconds()/took.Seconds())
		}
	})
}

// copied copies tables into others like them and says how long COPY took to fill those.
func copied(t *testing.T, s *store.Store, tables ...string) (took time.Duration) {
	t.Helper()
	dir, err := os.MkdirTemp("", "steward-copy-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil { // the server writes there
		t.Fatal(err)
	}
	exec := func(q string) {
		if _, err := s.DB.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	for _, table := range tables {
		path := strings.ReplaceAll(filepath.Join(dir, table), "'", "''")
		exec("COPY " + table + " TO '" + path + "'")
		exec("CREATE TABLE copy_of_" + table + " (LIKE " + table + " INCLUDING ALL)")
		begun := time.Now()
		exec("COPY copy_of_" + table + " FROM '" + path + "'")
		took += time.Since(begun)
	}
	return took
}
