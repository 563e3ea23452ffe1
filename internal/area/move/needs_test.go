package move_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/move"
	"steward/internal/area/procurement"
	"steward/internal/area/product"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// SD-1: whoever asked for it, wrote it down or took it a step does not decide on it.
func TestASecondPersonDecides(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		both := who("both", []string{"procurement-officer", "expense-authority", "executive", "product-owner"}, w.everywhere()...)
		second := who("second", []string{"expense-authority", "executive"}, w.everywhere()...)
		refused := func(v *viewer.Viewer, name string, id ident.ID, to string, version int) {
			t.Helper()
			before := w.events()
			err := move.Do(as(v), s, move.Input{Entity: name, ID: id, To: to, Version: version, Note: "mine"})
			if e := errs.As(err); e == nil || e.Code != errs.CodeForbidden || e.Key != "error.second_person" {
				t.Errorf("%s to %s by one person: %v", name, to, err)
			}
			if acts, _ := move.Actions(as(v), s, name, id); slices.ContainsFunc(acts, func(mv flow.Move) bool { return mv.To == to }) {
				t.Errorf("%s to %s is offered to the same person", name, to)
			}
			if before != w.events() {
				t.Errorf("%s to %s left something", name, to)
			}
		}
		// Took it the last step.
		id := w.make("Procurement", "EVALUATION", w.ours, w.product)
		w.do(both, "Procurement", id, "RECOMMENDED", 1)
		refused(both, "Procurement", id, "SIGNED_OFF", 2)
		w.do(second, "Procurement", id, "SIGNED_OFF", 2)
		// Asked for it.
		p := w.make("Procurement", "RECOMMENDED", w.ours, w.product)
		w.person(both.ID)
		w.tx(func(ctx context.Context, c *ent.Client) {
			c.Procurement.UpdateOneID(p).SetRequesterID(both.ID).ExecX(ctx)
		})
		refused(both, "Procurement", p, "SIGNED_OFF", 2)
		// Wrote it down.
		ctr := w.make("Contract", "UNDER_REVIEW", w.ours, w.product)
		var own ident.ID
		if err := s.Tx(as(both), func(ctx context.Context, c *ent.Client) error {
			n, err := c.Contract.Create().SetName("Own").SetPortfolioID(w.ours.ID).SetVendorID(w.vendor.ID).SetValue(5).
				SetStartOn(w.today).SetEndOn(w.today.AddDays(300)).Save(ctx)
			if err == nil {
				own = n.ID
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		w.do(who("clerk", []string{"procurement-officer"}, w.everywhere()...), "Contract", own, "UNDER_REVIEW", 1)
		refused(both, "Contract", own, "APPROVED", 2)
		w.do(second, "Contract", own, "APPROVED", 2)
		w.do(both, "Contract", ctr, "APPROVED", 1)
		// Submitted it long ago.
		ini := w.make("Initiative", "DRAFT", w.ours, w.product)
		w.do(both, "Initiative", ini, "SUBMITTED", 1)
		manager := who("manager", []string{"portfolio-manager"}, w.everywhere()...)
		for i, to := range []string{"SCREENED", "RANKED", "SCHEDULED"} {
			w.do(manager, "Initiative", ini, to, i+2)
		}
		refused(both, "Initiative", ini, "APPROVED", 5)
		w.do(second, "Initiative", ini, "APPROVED", 5)
	})
}

// SD-12: tokens, integrations and the system draft and submit; they never decide,
// award or close.
func TestTokensDraftAndSubmitOnly(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		var roles []string
		for _, r := range access.Roles {
			roles = append(roles, string(r))
		}
		token, bot := who("token", roles, w.everywhere()...), who("bot", roles, w.everywhere()...)
		token.TokenID = "tok_1"
		bot.Kind, bot.ID = viewer.Integration, "int_1"
		for _, name := range entities {
			for _, mv := range machine(name).Moves {
				if !mv.Needs.Has(flow.Person) {
					continue
				}
				id := w.make(name, mv.From, w.ours, w.product)
				for _, v := range []*viewer.Viewer{token, bot, viewer.From(testkit.System())} {
					before := w.events()
					err := move.Do(as(v), s, move.Input{Entity: name, ID: id, To: mv.To, Version: 1, Note: "because"})
					if errs.CodeOf(err) != errs.CodeForbidden || before != w.events() {
						t.Errorf("%s %s→%s by %s %q: %v", name, mv.From, mv.To, v.Kind, v.TokenID, err)
					}
				}
			}
		}
		id := w.make("Procurement", "PLANNED", w.ours, w.product)
		w.do(bot, "Procurement", id, "IN_PREPARATION", 1)
		w.do(token, "Procurement", id, "PUBLISHED", 2)
		w.do(viewer.From(testkit.System()), "Procurement", id, "EVALUATION", 3)
	})
}

func TestAStaleVersionSaysWhoAndWhen(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		id := w.make("Procurement", "PLANNED", w.ours, w.product)
		paul := who("Paul", []string{"procurement-officer"})
		pia := who("Pia", []string{"portfolio-manager"}, w.everywhere()...)
		w.do(paul, "Procurement", id, "IN_PREPARATION", 1)
		err := move.Do(as(pia), s, move.Input{Entity: "Procurement", ID: id, To: "IN_PREPARATION", Version: 1})
		e := errs.As(err)
		if e == nil || e.Code != errs.Conflict || len(e.Args) != 4 || e.Args[1] != "Paul" {
			t.Fatalf("the second move: %v", err)
		}
		if when, ok := e.Args[3].(time.Time); !ok || time.Since(when) > time.Minute {
			t.Errorf("changed at %v", e.Args[3])
		}
		if now, ok := e.Current.(map[string]any); !ok || now["status"] != "IN_PREPARATION" || now["version"] != 2 {
			t.Errorf("now it is %v", e.Current)
		}
		// Of many at once exactly one makes the move, the others are told.
		id = w.make("Procurement", "PLANNED", w.ours, w.product)
		var wg sync.WaitGroup
		var mu sync.Mutex
		codes := map[errs.Code]int{}
		for range 8 {
			wg.Go(func() {
				err := move.Do(as(pia), s, move.Input{Entity: "Procurement", ID: id, To: "IN_PREPARATION", Version: 1})
				mu.Lock()
				codes[errs.CodeOf(err)]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if codes[""] != 1 || codes[""]+codes[errs.Conflict]+codes[errs.Unavailable] != 8 {
			t.Errorf("8 at once: %v", codes)
		}
	})
}

func TestNoteVersionAndArchive(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		paul := who("Paul", []string{"procurement-officer"})
		id := w.make("Procurement", "PLANNED", w.ours, w.product)
		long := string(make([]rune, 2001))
		for _, c := range []struct {
			in   move.Input
			path string
		}{
			{move.Input{To: "CANCELLED", Version: 1}, "note"},
			{move.Input{To: "CANCELLED", Version: 1, Note: " \n "}, "note"},
			{move.Input{To: "CANCELLED", Version: 1, Note: "x" + long}, "note"},
			{move.Input{To: "IN_PREPARATION"}, "version"},
			{move.Input{To: "IN_PREPARATION", Version: 1, Contract: "ctr_X"}, "contract"},
		} {
			c.in.ID = id
			_, err := procurement.Move(as(paul), s, c.in)
			if e := errs.As(err); e == nil || e.Code != errs.Validation || len(e.Fields) != 1 || e.Fields[0].Path != c.path {
				t.Errorf("%+v: %v", c.in, err)
			}
		}
		if err := s.Archive(testkit.System(), "Procurement", id, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := procurement.Move(as(paul), s, move.Input{ID: id, To: "CANCELLED", Version: 2, Note: "x"}); errs.As(err) == nil || errs.As(err).Key != "move.archived" {
			t.Errorf("archived: %v", err)
		}
		if acts, err := move.Actions(as(paul), s, "Procurement", id); err != nil || len(acts) > 0 {
			t.Errorf("archived offers %v, %v", acts, err)
		}
		if err := move.Do(as(paul), s, move.Input{Entity: "Vendor", ID: w.vendor.ID, To: "X", Version: 1}); err == nil {
			t.Error("an entity without a verb moved")
		}
	})
}

// A product that is being retired goes back to where it was and nowhere else; one
// that an import found retiring may have been anywhere.
func TestBackToWhereItWas(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		pia := who("Pia", []string{"portfolio-manager"}, w.everywhere()...)
		id := w.make("Product", "PILOT", w.ours, nil)
		w.do(pia, "Product", id, "RETIRING", 1)
		var back []string
		acts, _ := move.Actions(as(pia), s, "Product", id)
		for _, mv := range acts {
			back = append(back, mv.To)
		}
		if !slices.Equal(back, []string{"RETIRED", "PILOT"}) {
			t.Errorf("from RETIRING it may go to %v", back)
		}
		if _, err := product.MoveStage(as(pia), s, move.Input{ID: id, To: "ENTERPRISE", Version: 2, Note: "x"}); errs.As(err) == nil || errs.As(err).Key != "move.previous_only" {
			t.Errorf("to ENTERPRISE: %v", err)
		}
		n, err := product.MoveStage(as(pia), s, move.Input{ID: id, To: "PILOT", Version: 2, Note: "kept after all"})
		if err != nil || n.Stage != "PILOT" || n.StageSince == nil || *n.StageSince != w.today {
			t.Errorf("back: %+v, %v", n, err)
		}
		w.do(pia, "Product", w.make("Product", "RETIRING", w.ours, nil), "ENTERPRISE", 1)
	})
}

// SD-4: the limit is compared with the whole commitment.
func TestApprovalLimit(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		eva := who("Eva", []string{"expense-authority"}, w.everywhere()...)
		w.person(eva.ID)
		grant := func(amount, currency string) {
			w.tx(func(ctx context.Context, c *ent.Client) {
				c.RoleGrant.Create().SetPersonID(eva.ID).SetRole("expense-authority").
					SetCustom(map[string]any{move.LimitKey: amount, move.CurrencyKey: currency}).ExecX(ctx)
			})
		}
		try := func(value, ceiling money.Amount, currency string) error {
			t.Helper()
			id := w.make("Contract", "UNDER_REVIEW", w.ours, w.product)
			w.tx(func(ctx context.Context, c *ent.Client) {
				c.Contract.UpdateOneID(id).SetValue(value).SetCeiling(ceiling).SetCurrency(currency).ExecX(ctx)
			})
			acts, _ := move.Actions(as(eva), s, "Contract", id)
			err := move.Do(as(eva), s, move.Input{Entity: "Contract", ID: id, To: "APPROVED", Version: 2})
			if (err == nil) != (len(acts) == 1) {
				t.Errorf("offered %v and answered %v", acts, err)
			}
			return err
		}
		over := func(err error) bool { e := errs.As(err); return e != nil && e.Key == "error.over_limit" }
		if err := try(9_000_000_0000, 0, "CAD"); err != nil {
			t.Errorf("no limit stated: %v", err)
		}
		grant("1000.00", "CAD")
		if err := try(1000_0000, 1000_0000, "CAD"); err != nil {
			t.Errorf("at the limit: %v", err)
		}
		if err := try(999_0000, 1000_0001, "CAD"); !over(err) {
			t.Errorf("the ceiling is above the limit: %v", err)
		}
		if err := try(1_0000, 1_0000, "USD"); !over(err) {
			t.Errorf("another currency: %v", err)
		}
		grant("2000.00", "CAD")
		if err := try(1500_0000, 1500_0000, "CAD"); err != nil {
			t.Errorf("within the higher of two limits: %v", err)
		}
	})
}

// do makes a move that must succeed.
func (w *world) do(v *viewer.Viewer, name string, id ident.ID, to string, version int) {
	w.Helper()
	if err := move.Do(as(v), w.s, move.Input{Entity: name, ID: id, To: to, Version: version, Note: "because"}); err != nil {
		w.Fatalf("%s to %s by %s: %v", name, to, v.Name, err)
	}
}

// person makes the row of somebody who acts in a test.
func (w *world) person(id ident.ID) {
	w.Helper()
	w.tx(func(ctx context.Context, c *ent.Client) { c.Person.Create().SetID(id).SetName(string(id)).ExecX(ctx) })
}
