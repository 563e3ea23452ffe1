package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/ent/membership"
	"steward/internal/exchange/upload"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// importLines is how long the file is whose import is killed, and badLines how many of its
// lines cannot be stored.
const (
	importLines = 3000
	badLines    = 30
)

// spendingFile is a file of one organisation's programs; each hundredth line has a fault.
func spendingFile() string {
	var b strings.Builder
	b.WriteString("fy_ef,organization_id,organization,program_id,program_name,planned_spending_1,actual_spending\n")
	for i := range importLines {
		amount := fmt.Sprint(1000 + i)
		if i%(importLines/badLines) == 7 {
			amount = "see note"
		}
		fmt.Fprintf(&b, "2020-21,1,Parks,P%05d,Program %d,%s,%d\n", i, i, amount, i)
	}
	return b.String()
}

// whoever is the person whose import it is, with rights that the worker finds in the database.
func whoever(t *testing.T, s *store.Store) context.Context {
	t.Helper()
	var id ident.ID
	var home ident.ID
	err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		home = c.Portfolio.Create().SetName("Common").SetKey("PF-CC").SaveX(ctx).ID
		id = c.Person.Create().SetName("Pia").SetEmail("pia@example.org").SaveX(ctx).ID
		c.PersonIdentity.Create().SetPersonID(id).SetIssuer("https://id.example.org").SetSubject("pia").SetRoles([]string{"portfolio-manager"}).SaveX(ctx)
		c.Membership.Create().SetPersonID(id).SetScope(membership.ScopePORTFOLIO).SetScopeID(home).SetLevel(membership.LevelMANAGER).SaveX(ctx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return viewer.With(t.Context(), &viewer.Viewer{Kind: viewer.Person, ID: id, Name: "Pia", Roles: []string{"portfolio-manager"}, Via: viewer.ViaPage, Lang: "en",
		Memberships: []viewer.Membership{{Scope: viewer.ScopePortfolio, ID: home, Level: viewer.LevelManager}}})
}

// TestKilledImportHappensOnce (IM-4, SEC-R10) kills the worker of an import again and again, wherever it may
// be. Each time there is nothing of it, or all of it and the job is done; in the end it has happened once.
func TestKilledImportHappensOnce(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		all := flags(t, database)
		line := []string{"worker", "--ops-listen=", "--database", database, "--key-file", all[slices.Index(all, "--key-file")+1]}
		s := testkit.OpenURL(t, database)
		ctx, system := whoever(t, s), testkit.System()
		in := upload.Receive(nil, 1<<20)
		defer in.Close()
		if err := in.Add(ctx, "spending.csv", strings.NewReader(spendingFile())); err != nil {
			t.Fatal(err)
		}
		u, err := in.Keep(ctx, s, upload.Plan{Format: "gc-planned-actual", Portfolio: "PF-CC"})
		if err != nil {
			t.Fatal(err)
		}
		if err := upload.Check(ctx, s, u.ID, u.Version, upload.PlanOf(u)); err != nil {
			t.Fatal(err)
		}
		// done waits until the upload's job has ended, and says how long its work took.
		done := func() time.Duration {
			begun := time.Now()
			for deadline := begun.Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
				if n := s.Client.Job.Query().Where(entjob.KindEQ(upload.Job), entjob.StatusIn(entjob.StatusREADY, entjob.StatusRUNNING)).CountX(system); n == 0 {
					return time.Since(begun)
				}
				if time.Now().After(deadline) {
					t.Fatal("the job does not end")
				}
			}
		}
		out := &lines{}
		c := program(t, out, line...)
		out.wait(t, `"msg":"working"`)
		long := done()
		_ = c.Process.Kill()
		_ = c.Wait()
		if u, err = upload.Get(ctx, s, u.ID); err != nil {
			t.Fatal(err)
		}
		if res := upload.ResultOf(u); res.Counts["faults"] != badLines || !res.May(true) {
			t.Fatalf("the check found %v, %s %v\n%s", res.Counts, res.Error, res.Args, out)
		}
		if err := upload.Apply(ctx, s, u.ID, u.Version, true, ""); err != nil {
			t.Fatal(err)
		}
		last := func() *ent.Job {
			x := s.Client.Job.Query().Where(entjob.KindEQ(upload.Job)).Order(entjob.ByID()).AllX(system)
			return x[len(x)-1]
		}
		is := func() (rows, batches int, status entjob.Status) {
			return s.Client.BudgetLine.Query().CountX(system), s.Client.ImportBatch.Query().CountX(system), last().Status
		}
		killed := 0
		for range testkit.Soak(5) {
			before := last().Fence
			c := program(t, out, line...)
			for deadline := time.Now().Add(time.Minute); last().Fence == before; time.Sleep(5 * time.Millisecond) { // until it has the job
				if time.Now().After(deadline) {
					t.Fatalf("nobody takes the job\n%s", out)
				}
			}
			time.Sleep(time.Duration(rand.Int64N(int64(long) + 1)))
			_ = c.Process.Kill()
			_ = c.Wait()
			rows, batches, status := is()
			switch {
			case rows == 0 && batches == 0 && status == entjob.StatusRUNNING:
				killed++
			case rows == importLines-badLines && batches == 1 && status == entjob.StatusDONE:
			default:
				t.Fatalf("after a kill there are %d lines and %d imports, and the job is %s", rows, batches, status)
			}
			if status == entjob.StatusDONE {
				break
			}
			// Nobody waits for the lease: it is over, and the attempts that were killed do not count.
			if err := s.Tx(system, func(ctx context.Context, c *ent.Client) error {
				return c.Job.Update().Where(entjob.StatusEQ(entjob.StatusRUNNING)).SetLeaseUntil(time.Now().UTC().Add(-time.Hour)).SetAttempts(0).Exec(ctx)
			}); err != nil {
				t.Fatal(err)
			}
		}
		c = program(t, out, line...)
		done()
		_ = c.Process.Kill()
		_ = c.Wait()
		rows, batches, status := is()
		if rows != importLines-badLines || batches != 1 || status != entjob.StatusDONE {
			t.Errorf("in the end there are %d lines and %d imports, and the job is %s\n%s", rows, batches, status, out)
		}
		if n := s.Client.Blob.Query().CountX(system); n != 0 {
			t.Errorf("%d files are left", n)
		}
		t.Logf("killed %d times before it was done; a check takes %s", killed, long.Round(time.Millisecond))
	})
}
