package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/contract"
	"steward/ent/predicate"
	"steward/ent/product"
	"steward/ent/vendor"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func as(t *testing.T, s *store.Store, ctx context.Context, fn func(ctx context.Context, c *ent.Client) error) error {
	t.Helper()
	return s.Tx(ctx, fn)
}

func want(t *testing.T, what string, err error, code errs.Code) {
	t.Helper()
	if got := errs.CodeOf(err); got != code {
		t.Errorf("%s: %q (%v), not %q", what, got, err, code)
	}
}

func TestNothingWithoutAViewerOrATransaction(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		if _, err := s.Client.Product.Query().All(context.Background()); !errors.Is(err, store.ErrNoViewer) {
			t.Errorf("a query of nobody answers %v", err)
		}
		if err := s.Client.Vendor.Create().SetName("x").Exec(w.manager); !errors.Is(err, store.ErrNoTransaction) {
			t.Errorf("a write outside a transaction answers %v", err)
		}
		stranger := person("nora", nil)
		if n := s.Client.Product.Query().CountX(stranger); n != 0 {
			t.Errorf("a person without a role sees %d products", n)
		}
	})
}

func TestWritesStayInTheReach(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		viewerOnly := person("vic", []string{"viewer"}, viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: viewer.LevelViewer})
		before := s.Client.ChangeEvent.Query().CountX(testkit.System())
		for what, c := range map[string]struct {
			ctx  context.Context
			fn   func(ctx context.Context, c *ent.Client) error
			code errs.Code
		}{
			"create in a foreign portfolio": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Product.Create().SetName("x").SetPortfolioID(w.theirs.ID).Exec(ctx)
			}, errs.CodeNotFound},
			"create in a portfolio that is not there": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Product.Create().SetName("x").SetPortfolioID(ident.New("pfo")).Exec(ctx)
			}, errs.CodeNotFound},
			"id of another kind": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Product.Create().SetName("x").SetPortfolioID(w.ourProd.ID).Exec(ctx)
			}, errs.CodeNotFound},
			"update a foreign row": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Product.UpdateOneID(w.theirProd.ID).SetName("mine").Exec(ctx)
			}, errs.CodeNotFound},
			"update a row one may only read": {viewerOnly, func(ctx context.Context, c *ent.Client) error {
				return c.Product.UpdateOneID(w.ourProd.ID).SetName("x").Exec(ctx)
			}, errs.CodeForbidden},
			"point at a foreign product": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Environment.Create().SetName("x").SetPortfolioID(w.ours.ID).SetProductID(w.theirProd.ID).Exec(ctx)
			}, errs.CodeNotFound},
			"link a foreign product": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Contract.Create().SetName("x").SetPortfolioID(w.ours.ID).AddProductIDs(w.theirProd.ID).Exec(ctx)
			}, errs.CodeNotFound},
			"delete": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Product.DeleteOneID(w.ourProd.ID).Exec(ctx)
			}, errs.CodeForbidden},
			"attach from the inverse side": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Portfolio.UpdateOneID(w.ours.ID).AddProductIDs(w.theirProd.ID).Exec(ctx)
			}, errs.Internal},
			"bulk update": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Product.Update().SetSummary("x").Exec(ctx)
			}, errs.Internal},
			"a platform row": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.RoleGrant.Create().SetPersonID(ident.New("per")).SetRole("app-admin").Exec(ctx)
			}, errs.CodeNotFound},
			"the state by hand": {w.manager, func(ctx context.Context, c *ent.Client) error {
				return c.Product.UpdateOneID(w.ourProd.ID).SetStage(product.StagePRODUCTION).Exec(ctx)
			}, errs.State},
		} {
			want(t, what, as(t, s, c.ctx, c.fn), c.code)
		}
		if after := s.Client.ChangeEvent.Query().CountX(testkit.System()); after != before {
			t.Errorf("refused writes left %d audit rows", after-before)
		}
		if n := s.Client.Product.Query().CountX(testkit.System()); n != 2 {
			t.Errorf("there are %d products, not 2", n)
		}
	})
}

func TestEdgePredicatesKeepTheScope(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		var vendor ident.ID
		err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			v := c.Vendor.Create().SetName("Shared").SaveX(ctx)
			vendor = v.ID
			return c.Contract.Create().SetName("hidden-title").SetPortfolioID(w.theirs.ID).SetVendorID(v.ID).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Client.Vendor.Query().Where(hasHiddenContract()).CountX(w.manager); n != 0 {
			t.Error("an edge predicate tells about a hidden contract")
		}
		if n := s.Client.Vendor.Query().Where(hasHiddenContract()).CountX(testkit.System()); n != 1 {
			t.Error("the system does not find the contract")
		}
		got := s.Client.Vendor.Query().WithContracts().AllX(w.manager)
		if len(got) != 1 || got[0].ID != vendor || len(got[0].Edges.Contracts) != 0 {
			t.Error("eager loading shows a hidden contract")
		}
	})
}

func TestAWriteLeavesVersionStampsAndAudit(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		reason := "renamed by the board"
		err := s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			return c.Product.UpdateOneID(w.ourProd.ID).Where(product.Version(1)).SetName("CHEFS 2").Exec(store.Because(ctx, &reason))
		})
		if err != nil {
			t.Fatal(err)
		}
		p := s.Client.Product.GetX(w.manager, w.ourProd.ID)
		if p.Version != 2 || p.UpdatedBy != "per_pia" || p.Name != "CHEFS 2" {
			t.Errorf("version %d by %s: %s", p.Version, p.UpdatedBy, p.Name)
		}
		h, err := s.History(w.manager, p.ID, 10, 0)
		if err != nil || len(h) != 2 {
			t.Fatalf("%d audit rows, %v", len(h), err)
		}
		d := h[0].Diff["name"]
		if h[0].Op != changeevent.OpUPDATE || d[0] != "CHEFS" || d[1] != "CHEFS 2" || h[0].ActorName != "pia" || h[0].EntityVersion != 2 {
			t.Errorf("the audit row says %+v", h[0])
		}
		if len(h[0].Diff) != 1 {
			t.Errorf("the difference is %v", h[0].Diff)
		}
		if n := s.Client.OutboxEvent.Query().CountX(testkit.System()); n != 2 {
			t.Errorf("%d outbox events for two change sets", n)
		}
		stale := s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			err := c.Product.UpdateOneID(p.ID).Where(product.Version(1)).SetName("lost").Exec(ctx)
			return s.Stale(ctx, "Product", p.ID, err)
		})
		want(t, "a stale write", stale, errs.Conflict)
		if e := errs.As(stale); e == nil || e.Current.(map[string]any)["name"] != "CHEFS 2" {
			t.Errorf("the conflict carries %v", e.Current)
		}
		boom := errors.New("boom")
		if err := s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			c.Product.UpdateOneID(p.ID).SetName("gone").ExecX(ctx)
			return boom
		}); !errors.Is(err, boom) {
			t.Errorf("a failed transaction answers %v", err)
		}
		if h, _ := s.History(w.manager, p.ID, 10, 0); len(h) != 2 {
			t.Errorf("a rolled back write left %d audit rows", len(h)-2)
		}
	})
}

func TestAnUpdateTakesSixStatements(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		s.Statements.Keep()
		s.Statements.Reset()
		if err := s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			return c.Product.UpdateOneID(w.ourProd.ID).Where(product.Version(1)).SetName("x").Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		// begin, the row before, update, ent's read of the row after, audit and outbox, commit
		if n := s.Statements.N(); n != 6 {
			t.Errorf("%d statements:\n%s", n, strings.Join(s.Statements.Log(), "\n"))
		}
	})
}

func TestChildrenInheritTheirPlace(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		var contract, term ident.ID
		var v1, v2 ident.ID
		err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			v1, v2 = c.Vendor.Create().SetName("One").SaveX(ctx).ID, c.Vendor.Create().SetName("Two").SaveX(ctx).ID
			contract = c.Contract.Create().SetName("c").SetPortfolioID(w.ours.ID).SetVendorID(v1).AddProductIDs(w.ourProd.ID).SaveX(ctx).ID
			term = c.ContractTerm.Create().SetName("t").SetContractID(contract).SaveX(ctx).ID
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got := s.Client.ContractTerm.GetX(w.manager, term)
		if got.PortfolioID != w.ours.ID || *got.VendorID != v1 {
			t.Errorf("the term lies in %s of %s", got.PortfolioID, *got.VendorID)
		}
		owner := person("otto", []string{"product-owner"}, viewer.Membership{Scope: viewer.ScopeProduct, ID: w.ourProd.ID, Level: viewer.LevelOwner, PortfolioID: w.ours.ID})
		if n := s.Client.ContractTerm.Query().CountX(owner); n != 1 {
			t.Errorf("the owner of the product reaches %d terms through the contract", n)
		}
		if err := s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			return c.Contract.UpdateOneID(contract).SetVendorID(v2).Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		if got := s.Client.ContractTerm.GetX(w.manager, term); *got.VendorID != v2 {
			t.Error("the term stayed with the old vendor")
		}
	})
}

func TestUpdatesWithoutAnyPredicate(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		everywhere := person("pia", []string{"portfolio-manager"}, viewer.Membership{Scope: viewer.ScopeAll, Level: viewer.LevelManager})
		for _, ctx := range []context.Context{testkit.System(), everywhere} {
			if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
				return c.Product.UpdateOneID(w.ourProd.ID).SetName("x").Exec(ctx)
			}); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestKeys(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		make := func(key string) (string, error) {
			var p *ent.Product
			err := s.Tx(w.manager, func(ctx context.Context, c *ent.Client) (err error) {
				p, err = c.Product.Create().SetName("x").SetKey(key).SetPortfolioID(w.ours.ID).Save(ctx)
				return err
			})
			if err != nil {
				return "", err
			}
			return p.Key, nil
		}
		for in, out := range map[string]string{"": "PRD-000002", "drop": "PRD-DROP", "PRD-Gc-Notify": "PRD-GC-NOTIFY"} {
			if got, err := make(in); err != nil || got != out {
				t.Errorf("key %q becomes %q, %v", in, got, err)
			}
		}
		_, err := make("chefs")
		want(t, "a key taken", err, errs.Conflict)
		_, err = make("a b")
		want(t, "a bad key", err, errs.Validation)
		if store.Slug("PRD-GC-NOTIFY") != "gc-notify" {
			t.Error(store.Slug("PRD-GC-NOTIFY"))
		}
	})
}

func TestArchiveAndUndo(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		token, err := s.Do(w.manager, func(ctx context.Context, c *ent.Client) error {
			return c.Product.UpdateOneID(w.ourProd.ID).SetName("New").SetSummary("s").Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Undo(person("sam", []string{"portfolio-manager"}), token)
		want(t, "somebody else's undo", err, errs.CodeNotFound)
		u, err := s.Undo(w.manager, token)
		if err != nil || u.Changes != 1 {
			t.Fatal(u, err)
		}
		if p := s.Client.Product.GetX(w.manager, w.ourProd.ID); p.Name != "CHEFS" || p.Summary != "" || p.Version != 3 {
			t.Errorf("after undo: %s %q version %d", p.Name, p.Summary, p.Version)
		}
		_, err = s.Undo(w.manager, token)
		want(t, "a second undo", err, errs.State)
		if _, err = s.Undo(w.manager, u.Token); err != nil {
			t.Errorf("undoing the undo: %v", err)
		}
		if p := s.Client.Product.GetX(w.manager, w.ourProd.ID); p.Name != "New" {
			t.Errorf("after redo: %s", p.Name)
		}
		token, _ = s.Do(w.manager, func(ctx context.Context, c *ent.Client) error {
			return c.Product.UpdateOneID(w.ourProd.ID).SetName("Third").Exec(ctx)
		})
		if err := s.Archive(w.manager, "Product", w.ourProd.ID, 5); err != nil {
			t.Fatal(err)
		}
		_, err = s.Undo(w.manager, token)
		want(t, "an undo of something changed since", err, errs.Conflict)
		want(t, "archiving a stale version", s.Archive(w.manager, "Product", w.ourProd.ID, 1), errs.Conflict)
		if err := s.Restore(w.manager, "Product", w.ourProd.ID, 6); err != nil {
			t.Fatal(err)
		}
		want(t, "archiving a foreign row", s.Archive(w.manager, "Product", w.theirProd.ID, 1), errs.CodeNotFound)
	})
}

// seal seals n rows. On PostgreSQL a row waits for every transaction of the whole
// server that began before it, those of other tests too.
func seal(t *testing.T, s *store.Store, n int) {
	t.Helper()
	sealed := 0
	for deadline := time.Now().Add(20 * time.Second); sealed < n && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		k, err := s.Seal(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		sealed += k
	}
	if sealed != n {
		t.Fatalf("sealed %d of %d rows", sealed, n)
	}
}

func TestTheAuditShowsTampering(t *testing.T) {
	for name, tamper := range map[string]string{
		"edit":   "UPDATE change_events SET actor_name = 'Nobody' WHERE id = (SELECT change_id FROM audit_seals WHERE id = 2)",
		"delete": "DELETE FROM change_events WHERE id = (SELECT change_id FROM audit_seals WHERE id = 2)",
		"swap":   "UPDATE audit_seals SET hash = (SELECT hash FROM audit_seals WHERE id = 1) WHERE id = 2",
		"cut":    "DELETE FROM audit_seals WHERE id = 3",
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Databases(t, func(t *testing.T, s *store.Store) {
				build(t, s)
				seal(t, s, 4)
				r, err := s.VerifyAudit(context.Background(), "")
				if err != nil || r.Broken != "" || r.Sealed != 4 || r.Unsealed != 0 {
					t.Fatalf("%+v, %v", r, err)
				}
				if n, _ := s.Seal(context.Background()); n != 0 {
					t.Errorf("sealed %d again", n)
				}
				if _, err := s.DB.Exec(tamper); err != nil {
					t.Fatal(err)
				}
				if r, err := s.VerifyAudit(context.Background(), ""); err != nil || r.Broken == "" {
					t.Errorf("not noticed: %+v, %v", r, err)
				}
			})
		})
	}
}

func TestATailCutWithItsHeadIsMissed(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		build(t, s)
		seal(t, s, 4)
		r, _ := s.VerifyAudit(context.Background(), "")
		for _, q := range []string{"DELETE FROM audit_seals WHERE id = 4", "UPDATE audit_heads SET seal_id = 3, hash = (SELECT hash FROM audit_seals WHERE id = 3)"} {
			if _, err := s.DB.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if short, _ := s.VerifyAudit(context.Background(), ""); short.Broken != "" {
			t.Errorf("the shorter chain is whole in itself: %+v", short)
		}
		if cut, _ := s.VerifyAudit(context.Background(), r.Head); cut.Why != "cut off" {
			t.Errorf("against the logged head: %+v", cut)
		}
	})
}

func TestIdempotencyKeys(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		err := s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			if err := s.Claim(ctx, "per_pia", "k1", "h1"); err != nil {
				return err
			}
			return s.Answer(ctx, "per_pia", "k1", `{"a":1}`)
		})
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := s.Remembered(w.manager, "per_pia", "k1", "h1")
		if err != nil || !ok || got != `{"a":1}` {
			t.Errorf("%q %v %v", got, ok, err)
		}
		_, _, err = s.Remembered(w.manager, "per_pia", "k1", "h2")
		want(t, "the key with another body", err, errs.Idempotency)
		_, ok, err = s.Remembered(w.manager, "per_otto", "k1", "h1")
		if ok || err != nil {
			t.Error("another person's key answers")
		}
	})
}

// TestEveryEntityHasALine fails when an entity has no line in the access table,
// or none of its own scope columns is known to it.
func TestEveryEntityHasALine(t *testing.T) {
	for _, e := range entity.All() {
		if _, ok := access.Lookup(e.Name); !ok {
			t.Errorf("%s has no line in rules/access", e.Name)
		}
	}
}

// hasHiddenContract is a question about rows behind an edge.
func hasHiddenContract() predicate.Vendor {
	return vendor.HasContractsWith(contract.NameHasPrefix("hidden"))
}

func TestHistoryIsReadAsItsRecord(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		if h, err := s.History(w.manager, w.theirProd.ID, 10, 0); err != nil || len(h) != 0 {
			t.Errorf("a foreign product shows %d audit rows, %v", len(h), err)
		}
		for _, x := range s.Client.ChangeEvent.Query().AllX(w.manager) {
			if strings.Contains(x.ActorName, "Secret") || x.EntityID == w.theirs.ID || x.EntityID == w.theirProd.ID {
				t.Errorf("a foreign audit row is visible: %+v", x)
			}
		}
	})
}
