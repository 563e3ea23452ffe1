package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/area/budget"
	"steward/internal/platform/backup"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

// empty returns the URL of a database of the same kind that holds nothing.
func empty(t *testing.T, like string) string {
	t.Helper()
	if strings.HasPrefix(like, "sqlite:") {
		return "sqlite:" + filepath.Join(t.TempDir(), "new", "steward.db")
	}
	return testkit.Postgres(t).FreshDB(t, "")
}

// copied backs a database up and returns the path of the copy.
func copied(t *testing.T, database string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "copy")
	must(t, "backup", file, "--database", database)
	return file
}

// ledger makes a plan with two lines in a store and returns the lines.
func ledger(t *testing.T, s *store.Store) (lines []*ent.BudgetLine) {
	t.Helper()
	budget.Install(s)
	if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		home := c.Portfolio.Create().SetName("Home").SetKey("home").SaveX(ctx)
		plan := c.BudgetPlan.Create().SetName("Home 2026").SetPortfolioID(home.ID).SetFiscalYear(2026).SaveX(ctx)
		for _, name := range []string{"Staff", "Cloud"} {
			lines = append(lines, c.BudgetLine.Create().SetName(name).SetPlanID(plan.ID).SaveX(ctx))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestBackupDrill (OP-7, R14): a copy made under load holds everything that was acknowledged before it began,
// pairs of what is written together whole, and is proved by restore --verify in a database elsewhere.
func TestBackupDrill(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database)
		secret := token(t, database, "portfolio-manager")
		s := testkit.OpenURL(t, database)
		lines := ledger(t, s)

		shift := func(n int) { // a unit goes to and fro: the plan always comes to 100
			left, right := money.Amount(1000000-10000*int64(n%2)), money.Amount(10000*int64(n%2))
			if _, err := budget.SetCells(testkit.System(), s, budget.SetCellsInput{Cells: []budget.CellEdit{
				{LineID: lines[0].ID, Period: civil.Period("2026-04"), Field: budget.Planned, Amount: &left, Version: n},
				{LineID: lines[1].ID, Period: civil.Period("2026-04"), Field: budget.Planned, Amount: &right, Version: n}}}); err != nil {
				t.Error(err)
			}
		}
		shift(0)

		var mu sync.Mutex
		told := map[string]bool{}
		count := func() int { mu.Lock(); defer mu.Unlock(); return len(told) }
		load, stop := context.WithCancel(t.Context())
		defer stop()
		var wg sync.WaitGroup
		for writer := range 3 {
			wg.Go(func() {
				client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				for n := 0; load.Err() == nil; n++ {
					_, data, _ := ask(client, a.Addr(), secret, `mutation($name: String!) { createVendor(input: {name: $name}) { id } }`, map[string]string{"name": fmt.Sprintf("Vendor %d-%d", writer, n)})
					var made struct{ CreateVendor struct{ ID string } }
					if json.Unmarshal([]byte(data), &made) == nil && made.CreateVendor.ID != "" {
						mu.Lock()
						told[made.CreateVendor.ID] = true
						mu.Unlock()
					}
				}
			})
		}
		wg.Go(func() {
			for n := 1; load.Err() == nil; n++ {
				time.Sleep(20 * time.Millisecond) // SQLite has one writer: leave the others their turn
				shift(n)
			}
		})
		for deadline := time.Now().Add(60 * time.Second); count() < 30; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("only %d writes were acknowledged: the test does not test much", count())
			}
		}
		var before map[string]bool
		var folder, out, errs string
		for during := 0; during == 0; during = count() - len(before) { // until something is written meanwhile
			mu.Lock()
			before = maps.Clone(told)
			mu.Unlock()
			folder = t.TempDir()
			var code int
			if code, out, errs = run(t, "backup", folder, "--database", database); code != 0 {
				t.Fatalf("exit %d\n%s%s", code, out, errs)
			}
		}
		stop()
		wg.Wait()
		if !strings.Contains(errs, "The key file is not part of the backup") || !strings.Contains(errs, "backup: copying") {
			t.Errorf("backup says\n%s%s", out, errs)
		}
		file, _, _ := strings.Cut(out, "\n")
		if filepath.Dir(file) != folder {
			t.Errorf("the copy is %s, not in %s", file, folder)
		}
		m, err := backup.Read(file)
		if err != nil || m.Schema == 0 || m.Rows["vendors"] < int64(len(before)) || time.Since(m.At) > time.Minute {
			t.Errorf("the manifest: %+v %v", m, err)
		}
		for _, name := range []string{file, backup.ManifestOf(file)} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", name, info.Mode(), err)
			}
		}
		if n := len(names(t, folder)); n != 2 {
			t.Errorf("%d files in the folder, not 2", n)
		}

		elsewhere := empty(t, database)
		if said := must(t, "restore", file, "--verify", "--database", elsewhere); !strings.HasPrefix(said, "restored and verified: ") {
			t.Errorf("restore says %s", said)
		}
		r, ctx := testkit.OpenURL(t, elsewhere), testkit.System()
		there := map[ident.ID]bool{}
		for _, v := range r.Client.Vendor.Query().AllX(ctx) {
			there[v.ID] = true
		}
		for id := range before {
			if !there[ident.ID(id)] {
				t.Errorf("%s was acknowledged before the backup and is not in it", id)
			}
		}
		if n := r.Client.ChangeEvent.Query().Where(changeevent.EntityType("Vendor")).CountX(ctx); n != len(there) {
			t.Errorf("%d vendors, %d audit rows", len(there), n)
		}
		if plan := r.Client.BudgetPlan.Query().OnlyX(ctx); plan.PlannedTotal == nil || plan.PlannedTotal.String() != "100.00" {
			t.Errorf("the plan comes to %v", plan.PlannedTotal)
		}
		must(t, "audit", "verify", "--database", elsewhere)

		if code, _, errs := run(t, "restore", file, "--database", elsewhere); code != 1 || !strings.Contains(errs, "into an empty database only") {
			t.Errorf("into a database that holds something: exit %d %s", code, errs)
		}
	})
}

func names(t *testing.T, folder string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestRestoreNamesWhatIsWrong: a copy of data that somebody has tampered with is restored, and every fault has
// its line.
func TestRestoreNamesWhatIsWrong(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		s := testkit.OpenURL(t, database)
		lines := ledger(t, s)
		for n, err := s.Seal(t.Context()); n > 0 || err != nil; n, err = s.Seal(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
		}
		event := s.Client.ChangeEvent.Query().Where(changeevent.EntityID(lines[0].ID)).OnlyX(testkit.System())
		spoil := []string{
			"UPDATE change_events SET actor_name = 'x' || actor_name WHERE id = '" + event.ID.String() + "'",
			"UPDATE budget_plans SET planned_total = 50000",
		}
		want := []string{"the audit does not fit from here on: " + event.ID.String() + " (altered)", "planned_total is 5.00, what it sums up comes to nothing",
			"the table vendors has 0 rows, the manifest counts 7", "the table ghosts is missing"}
		for _, q := range spoil {
			if _, err := s.DB.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		file := copied(t, database)
		rewrite(t, file, func(m *backup.Manifest) { m.Rows["vendors"], m.Rows["ghosts"] = 7, 1 })
		code, out, errs := run(t, "restore", file, "--verify", "--database", empty(t, database))
		if code != 1 || out != "" {
			t.Errorf("exit %d, %s", code, out)
		}
		for _, text := range want {
			if !strings.Contains(errs, text) {
				t.Errorf("no %q in\n%s", text, errs)
			}
		}
		// The end of the record cut off together with its head: only the manifest knows.
		rewrite(t, file, func(m *backup.Manifest) { m.AuditHead = strings.Repeat("0", 64) })
		if _, err := s.DB.Exec("UPDATE change_events SET actor_name = substr(actor_name, 2) WHERE id = '" + event.ID.String() + "'"); err != nil {
			t.Fatal(err)
		}
		again := copied(t, database)
		rewrite(t, again, func(m *backup.Manifest) { m.AuditHead = strings.Repeat("0", 64) })
		if code, _, errs := run(t, "restore", again, "--verify", "--database", empty(t, database)); code != 1 || !strings.Contains(errs, "(cut off)") {
			t.Errorf("with another head: exit %d %s", code, errs)
		}
	})
}

// rewrite changes what a manifest says.
func rewrite(t *testing.T, file string, change func(*backup.Manifest)) {
	t.Helper()
	m, err := backup.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	b, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(backup.ManifestOf(file), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDanglingKeyIsNamed: SQLite keeps a row whose parent was deleted with the keys off; restoring names it.
func TestDanglingKeyIsNamed(t *testing.T) {
	database := testkit.SQLiteURL(t)
	s := testkit.OpenURL(t, database)
	ledger(t, s)
	s.DB.SetMaxOpenConns(1)
	for _, q := range []string{"PRAGMA foreign_keys = 0", "DELETE FROM budget_plans"} {
		if _, err := s.DB.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := run(t, "restore", copied(t, database), "--verify", "--database", empty(t, database)); code != 1 || !strings.Contains(errs, "of budget_lines points at a missing row of budget_plans") {
		t.Errorf("exit %d %s", code, errs)
	}
}

// TestBackupIsRefused: nothing is overwritten, nothing half is left, and no damaged or foreign copy is loaded.
func TestBackupIsRefused(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		file := copied(t, database)
		refused := func(why string, line ...string) {
			t.Helper()
			code, out, errs := run(t, line...)
			if code != 1 || out != "" || !strings.Contains(errs, why) {
				t.Errorf("%v: exit %d, no %q in %s%s", line, code, why, out, errs)
			}
		}
		was, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		refused("never overwrites", "backup", file, "--database", database)
		if is, _ := os.ReadFile(file); !bytes.Equal(is, was) {
			t.Error("the first backup was touched")
		}
		other := filepath.Join(t.TempDir(), "other")
		if err := os.WriteFile(backup.ManifestOf(other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		refused("never overwrites", "backup", other, "--database", database)
		refused("cannot be written", "backup", filepath.Join(t.TempDir(), "none", "copy"), "--database", database)
		nothing := empty(t, database)
		refused("", "backup", filepath.Join(t.TempDir(), "copy"), "--database", nothing)

		t.Run("one byte", func(t *testing.T) {
			spoilt := bytes.Clone(was)
			spoilt[len(spoilt)/2] ^= 1
			if err := os.WriteFile(file, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			into := empty(t, database)
			code, _, errs := run(t, "restore", file, "--verify", "--database", into)
			if code != 1 || !strings.Contains(errs, "is damaged: its SHA-256 is") {
				t.Errorf("exit %d %s", code, errs)
			}
			if path, ok := strings.CutPrefix(into, "sqlite:"); ok {
				if _, err := os.Stat(path); err == nil {
					t.Error("something was restored")
				}
			}
			if err := os.WriteFile(file, was, 0o600); err != nil {
				t.Fatal(err)
			}
		})
		rewrite(t, file, func(m *backup.Manifest) { m.Schema *= 2 })
		refused("newer than this program's", "restore", file, "--database", empty(t, database))
		rewrite(t, file, func(m *backup.Manifest) {
			m.Schema /= 2
			m.Dialect = map[string]string{dialect.SQLite: dialect.Postgres, dialect.Postgres: dialect.SQLite}[m.Dialect]
		})
		refused("it cannot be restored into", "restore", file, "--database", empty(t, database))
		if err := os.Remove(backup.ManifestOf(file)); err != nil {
			t.Fatal(err)
		}
		refused("the manifest beside", "restore", file, "--database", empty(t, database))
	})
}

// TestStaleJournalIsNotPlayedIn: what another database left beside the place is named, not read.
func TestStaleJournalIsNotPlayedIn(t *testing.T) {
	file := copied(t, testkit.SQLiteURL(t))
	into := filepath.Join(t.TempDir(), "steward.db")
	if err := os.WriteFile(into+"-wal", []byte("of another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, "restore", file, "--database", "sqlite:"+into); code != 1 || !strings.Contains(errs, "left of another database") {
		t.Errorf("exit %d %s", code, errs)
	}
}

// TestPostgresProgramsAreMissing says which program, and never shows the password.
func TestPostgresProgramsAreMissing(t *testing.T) {
	if testkit.OnlySQLite() {
		return
	}
	database := testkit.PostgresURL(t)
	t.Setenv("PATH", t.TempDir())
	if code, _, errs := run(t, "backup", filepath.Join(t.TempDir(), "copy"), "--database", database); code != 1 || !strings.Contains(errs, "pg_dump is not in PATH") {
		t.Errorf("exit %d %s", code, errs)
	}
}

// TestBackupIntoAFullDisk leaves nothing behind. Root fills a small disk of its own; others, whom a folder's
// rights bind, write where they may not.
func TestBackupIntoAFullDisk(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		script := `chmod 500 "$1"; shift; "$@"; code=$?; ls -A "$0"; exit $code`
		line := []string{"sh", "-c", script, folder, folder}
		if os.Geteuid() == 0 {
			script = `mount -t tmpfs -o size=32k tmpfs "$1"; shift; "$@"; code=$?; ls -A "$0"; exit $code`
			line = []string{"unshare", "-m", "sh", "-c", script, folder, folder}
		}
		c := exec.Command(line[0], append(line[1:], self, "backup", folder, "--database", database)...)
		c.Env = append(os.Environ(), asProgram+"=1")
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		_ = c.Run()
		_ = os.Chmod(folder, fs.FileMode(0o700)) //nolint:gosec // so that it can be removed
		if c.ProcessState.ExitCode() != 1 || out.Len() > 0 || !strings.Contains(errs.String(), "steward: ") {
			t.Errorf("exit %d\nleft: %s\n%s", c.ProcessState.ExitCode(), &out, &errs)
		}
	})
}
