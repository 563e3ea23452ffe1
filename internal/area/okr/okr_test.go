package okr_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/move"
	"steward/internal/area/okr"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// world is an objective of a product with two key results, in a cycle half way through.
type world struct {
	*testing.T
	s         *store.Store
	today     civil.Date
	cycle     *ent.Cycle
	home      *ent.Portfolio
	product   *ent.Product
	objective *ent.Objective
	up, down  *ent.KeyResult
	otto      *viewer.Viewer // owner of the product
}

func each(t *testing.T, test func(w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		okr.Install(s)
		w := &world{T: t, s: s, today: civil.DateOf(time.Now().UTC())}
		w.tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			w.home = c.Portfolio.Create().SetName("Home").SetTimeZone("UTC").SaveX(ctx)
			w.product = c.Product.Create().SetName("CHEFS").SetPortfolioID(w.home.ID).SaveX(ctx)
			w.cycle = c.Cycle.Create().SetName("Half").SetStartOn(w.today.AddDays(-50)).SetEndOn(w.today.AddDays(50)).SetGradingEndsOn(w.today.AddDays(60)).SaveX(ctx)
			w.objective = c.Objective.Create().SetName("Grow").SetPortfolioID(w.home.ID).SetProductID(w.product.ID).SetCycleID(w.cycle.ID).SaveX(ctx)
			w.up = c.KeyResult.Create().SetObjectiveID(w.objective.ID).SetName("Clients").SetBaseline(20_0000).SetTarget(80_0000).SetWeight(3).SaveX(ctx)
			w.down = c.KeyResult.Create().SetObjectiveID(w.objective.ID).SetName("Days").SetKind("DECREASE").SetBaseline(10_0000).SetTarget(2_0000).SaveX(ctx)
			return nil
		})
		w.otto = person("Otto", "product-owner", viewer.Membership{Scope: viewer.ScopeProduct, ID: w.product.ID, Level: viewer.LevelOwner, PortfolioID: w.home.ID})
		test(w)
	})
}

func person(name, role string, ms ...viewer.Membership) *viewer.Viewer {
	return &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"}
}

func as(v *viewer.Viewer) context.Context { return viewer.With(context.Background(), v) }

func (w *world) tx(ctx context.Context, f func(context.Context, *ent.Client) error) {
	w.Helper()
	if err := w.s.Tx(ctx, f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(k *ent.KeyResult, value money.Amount, confidence, daysAgo int) *ent.KeyResult {
	w.Helper()
	on := w.today.AddDays(-daysAgo)
	out, err := okr.CheckIn(as(w.otto), w.s, okr.CheckInInput{KeyResultID: k.ID, Value: value, Confidence: confidence, On: &on})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func state(k *ent.KeyResult) string {
	text := func(p *int) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprint(*p)
	}
	current := "-"
	if k.Current != nil {
		current = k.Current.String()
	}
	return current + " " + text(k.ProgressBp) + " " + text(k.ConfidenceBp)
}

// The vectors of domain.md, section 6: increase 20→80 at 65 and decrease 10→2 at 4 are 0.75.
func TestCheckInMovesTheKeyResult(t *testing.T) {
	each(t, func(w *world) {
		if got := state(w.read(w.up, 65_0000, 8000, 5)); got != "65.00 7500 8000" {
			t.Errorf("up: %s", got)
		}
		if got := state(w.read(w.down, 4_0000, 6000, 0)); got != "4.00 7500 6000" {
			t.Errorf("down: %s", got)
		}
		// A reading entered late does not become the current one.
		if got := state(w.read(w.up, 30_0000, 1000, 20)); got != "65.00 7500 8000" {
			t.Errorf("an older reading: %s", got)
		}
		// The later of one day does; above the target is all of it.
		if got := state(w.read(w.up, 95_0000, 9000, 5)); got != "95.00 10000 9000" {
			t.Errorf("over-achieved: %s", got)
		}
		k, err := okr.CheckIn(as(w.otto), w.s, okr.CheckInInput{KeyResultID: w.up.ID, Value: 50_0000, Confidence: 5000, Comment: "  half  "})
		if err != nil || state(k) != "50.00 5000 5000" {
			t.Errorf("today: %v, %v", k, err)
		}
		last := k.QueryCheckIns().Order(ent.Desc("on")).FirstX(as(w.otto))
		if last.On != w.today || last.Comment != "half" || last.PortfolioID != w.home.ID || *last.ProductID != w.product.ID || last.CreatedBy != string(w.otto.ID) {
			t.Errorf("kept as %+v", last)
		}
		// Changing the measure scores the readings anew; changing anything else does not.
		w.tx(as(w.otto), func(ctx context.Context, c *ent.Client) error {
			return c.KeyResult.UpdateOneID(w.up.ID).SetTarget(50_0000).Exec(ctx)
		})
		if got := state(w.s.Client.KeyResult.GetX(as(w.otto), w.up.ID)); got != "50.00 10000 5000" {
			t.Errorf("a lower target: %s", got)
		}
	})
}

func TestMaintainCountsAllReadings(t *testing.T) {
	each(t, func(w *world) {
		var hold *ent.KeyResult
		w.tx(testkit.System(), func(ctx context.Context, c *ent.Client) (err error) {
			hold, err = c.KeyResult.Create().SetObjectiveID(w.objective.ID).SetName("Hold").SetKind("MAINTAIN").SetBaseline(10_0000).SetTarget(20_0000).Save(ctx)
			return err
		})
		for i, v := range []money.Amount{15_0000, 25_0000, 20_0000, 10_0000} {
			hold = w.read(hold, v, 5000, 10-i)
		}
		if got := state(hold); got != "10.00 7500 5000" {
			t.Errorf("three of four within: %s", got)
		}
	})
}

func TestCheckInRefuses(t *testing.T) {
	each(t, func(w *world) {
		day := func(n int) *civil.Date { d := w.today.AddDays(n); return &d }
		in := okr.CheckInInput{KeyResultID: w.up.ID, Value: 1, Confidence: 5000}
		count := func() int { return w.s.Client.CheckIn.Query().CountX(testkit.System()) }
		refuse := func(what string, ctx context.Context, in okr.CheckInInput, code errs.Code, path string) {
			t.Helper()
			_, err := okr.CheckIn(ctx, w.s, in)
			if e := errs.As(err); e == nil || e.Code != code || path != "" && (len(e.Fields) != 1 || e.Fields[0].Path != path) {
				t.Errorf("%s: %v", what, err)
			}
			if count() != 0 {
				t.Errorf("%s left a check-in", what)
			}
		}
		ctx := as(w.otto)
		for _, on := range []*civil.Date{day(-51), day(2)} {
			bad := in
			bad.On = on
			refuse("on "+on.String(), ctx, bad, errs.Validation, "on")
		}
		bad := in
		bad.Confidence = 10001
		refuse("confidence", ctx, bad, errs.Validation, "confidence")
		bad = in
		bad.Comment = string(make([]rune, 5001)) + "x"
		refuse("comment", ctx, bad, errs.Validation, "comment")
		bad = in
		bad.KeyResultID = "krs_X"
		refuse("unknown", ctx, bad, errs.CodeNotFound, "")
		portfolio := viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.home.ID, Level: viewer.LevelViewer}
		refuse("viewer", as(person("V", "viewer", portfolio)), in, errs.CodeForbidden, "")
		refuse("executive", as(person("X", "executive")), in, errs.CodeForbidden, "")
		refuse("finance", as(person("F", "finance-officer", portfolio)), in, errs.CodeNotFound, "")
		refuse("elsewhere", as(person("E", "product-owner", viewer.Membership{Scope: viewer.ScopeProduct, ID: "prd_X", Level: viewer.LevelOwner})), in, errs.CodeNotFound, "")
		w.tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) error {
			return c.Objective.UpdateOneID(w.objective.ID).SetStatus("CLOSED").Exec(ctx)
		})
		refuse("closed", ctx, in, errs.State, "")
	})
}

// An integration may check in (security.md section 5), and of several at once each
// sees the others' readings.
func TestManyCheckInsAtOnce(t *testing.T) {
	each(t, func(w *world) {
		bot := person("bot", "contributor", viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.home.ID, Level: viewer.LevelManager})
		bot.Kind = viewer.Integration
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				on := w.today.AddDays(-i)
				if _, err := okr.CheckIn(as(bot), w.s, okr.CheckInInput{KeyResultID: w.up.ID, Value: money.Amount(20_0000 + 10_0000*i), Confidence: 1000 * i, On: &on}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := state(w.s.Client.KeyResult.GetX(testkit.System(), w.up.ID)); got != "20.00 0 0" {
			t.Errorf("the reading of today is %s", got)
		}
	})
}

func TestGrading(t *testing.T) {
	each(t, func(w *world) {
		var bare *ent.Objective
		w.tx(testkit.System(), func(ctx context.Context, c *ent.Client) (err error) {
			bare, err = c.Objective.Create().SetName("Bare").SetPortfolioID(w.home.ID).SetProductID(w.product.ID).SetCycleID(w.cycle.ID).Save(ctx)
			return err
		})
		if _, err := okr.Move(as(w.otto), w.s, move.Input{ID: bare.ID, To: "ACTIVE", Version: 1}); errs.As(err) == nil || errs.As(err).Key != "okr.no_key_result" {
			t.Errorf("without key results: %v", err)
		}
		w.read(w.up, 65_0000, 8000, 1)
		o, err := okr.Move(as(w.otto), w.s, move.Input{ID: w.objective.ID, To: "ACTIVE", Version: 1})
		if err != nil || o.GradeBp != nil {
			t.Fatal(o, err)
		}
		st, err := okr.Stand(as(w.otto), w.s, o.ID, bare.ID)
		if err != nil || len(st) != 2 {
			t.Fatal(st, err)
		}
		// (3 × 7500 + 1 × 0) / 4, half way through: on the mark of 5000.
		if x := st[o.ID]; x.Progress != 5625 || x.Missing != 1 || x.Expected != 5000 || x.Pace != "GREEN" || x.Confidence == nil || *x.Confidence != 8000 || len(x.Results) != 2 {
			t.Errorf("it stands %+v", x)
		}
		if o, err = okr.Move(as(w.otto), w.s, move.Input{ID: o.ID, To: "GRADED", Version: 2}); err != nil || o.GradeBp == nil || *o.GradeBp != 5625 {
			t.Errorf("graded %v, %v", o, err)
		}
		if st, _ = okr.Stand(as(w.otto), w.s, o.ID); st[o.ID].Pace != "AMBER" {
			t.Errorf("an aspirational 5625 is %s", st[o.ID].Pace)
		}
		if st, err := okr.Stand(as(person("N", "viewer")), w.s, o.ID); err != nil || len(st) > 0 {
			t.Errorf("to a stranger it stands %v, %v", st, err)
		}
	})
}

func TestRulesHoldOnEveryWrite(t *testing.T) {
	each(t, func(w *world) {
		later := func(ctx context.Context, c *ent.Client) *ent.Objective {
			y := c.Cycle.Create().SetName("Later").SetStartOn(w.today.AddDays(100)).SetEndOn(w.today.AddDays(200)).SaveX(ctx)
			return c.Objective.Create().SetName("Later").SetPortfolioID(w.home.ID).SetCycleID(y.ID).SaveX(ctx)
		}
		for path, write := range map[string]func(ctx context.Context, c *ent.Client) error{
			"target": func(ctx context.Context, c *ent.Client) error {
				return c.KeyResult.Create().SetObjectiveID(w.objective.ID).SetName("None").SetBaseline(5).SetTarget(5).Exec(ctx)
			},
			"target ": func(ctx context.Context, c *ent.Client) error {
				return c.KeyResult.UpdateOneID(w.up.ID).SetKind("DECREASE").Exec(ctx)
			},
			"parent_id": func(ctx context.Context, c *ent.Client) error {
				return c.Objective.UpdateOneID(w.objective.ID).SetParentID(later(ctx, c).ID).Exec(ctx)
			},
			"parent_id ": func(ctx context.Context, c *ent.Client) error {
				return c.Objective.UpdateOneID(w.objective.ID).SetParentID(w.objective.ID).Exec(ctx)
			},
			"end_on": func(ctx context.Context, c *ent.Client) error {
				return c.Cycle.UpdateOneID(w.cycle.ID).SetEndOn(w.today.AddDays(-100)).Exec(ctx)
			},
			"end_on ": func(ctx context.Context, c *ent.Client) error {
				return c.Cycle.Create().SetName("Wrong").SetStartOn(w.today).SetEndOn(w.today.AddDays(-1)).Exec(ctx)
			},
		} {
			err := w.s.Tx(testkit.System(), write)
			if e := errs.As(err); e == nil || e.Code != errs.Validation || !slices.ContainsFunc(e.Fields, func(f errs.Field) bool { return f.Path == path || f.Path+" " == path }) {
				t.Errorf("%s: %v", path, err)
			}
		}
		w.tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Objective.UpdateOneID(later(ctx, c).ID).SetParentID(w.objective.ID).Exec(ctx)
		})
		job := viewer.NewSystem(viewer.ViaImport, "")
		w.tx(as(job), func(ctx context.Context, c *ent.Client) error {
			return c.KeyResult.Create().SetObjectiveID(w.objective.ID).SetName("As published").SetTarget(0).Exec(ctx)
		})
	})
}
