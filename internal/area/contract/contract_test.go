package contract_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/changeevent"
	entcontract "steward/ent/contract"
	"steward/internal/area/contract"
	"steward/internal/area/move"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func day(s string) civil.Date { return civil.MustDate(s) }

func today() civil.Date { return civil.DateOf(time.Now().UTC()) }

type world struct {
	*testing.T
	s       *store.Store
	home    *ent.Portfolio
	product *ent.Product
	vendor  *ent.Vendor
	pia     context.Context // portfolio manager
}

func each(t *testing.T, test func(w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		contract.Install(s)
		w := &world{T: t, s: s}
		w.tx(testkit.System(), func(ctx context.Context, c *ent.Client) (err error) {
			w.home = c.Portfolio.Create().SetName("Home").SetTimeZone("UTC").SaveX(ctx)
			w.product = c.Product.Create().SetName("CHEFS").SetPortfolioID(w.home.ID).SaveX(ctx)
			w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
			return nil
		})
		w.pia = w.as("Pia", "portfolio-manager", viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.home.ID, Level: viewer.LevelManager})
		test(w)
	})
}

func (w *world) as(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en", SessionID: "ses_1", AuthTime: time.Now()})
}

func (w *world) tx(ctx context.Context, f func(context.Context, *ent.Client) error) {
	w.Helper()
	if err := w.s.Tx(ctx, f); err != nil {
		w.Fatal(err)
	}
}

func (w *world) add(ctx context.Context, fill func(*ent.ContractCreate)) (n *ent.Contract, err error) {
	err = w.s.Tx(ctx, func(ctx context.Context, c *ent.Client) (err error) {
		b := c.Contract.Create().SetName("C").SetPortfolioID(w.home.ID).SetVendorID(w.vendor.ID).SetValue(1000_0000).AddProductIDs(w.product.ID)
		fill(b)
		n, err = b.Save(ctx)
		return err
	})
	return n, err
}

func (w *world) edit(ctx context.Context, n *ent.Contract, fill func(*ent.ContractUpdateOne)) (out *ent.Contract, err error) {
	err = w.s.Tx(ctx, func(ctx context.Context, c *ent.Client) (err error) {
		b := c.Contract.UpdateOneID(n.ID)
		fill(b)
		out, err = b.Save(ctx)
		return err
	})
	return out, err
}

func (w *world) is(n *ent.Contract, err error, end, notice, decide string) {
	w.Helper()
	text := func(d *civil.Date) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	if err != nil {
		w.Errorf("error %v", err)
	} else if text(n.EndOn) != end || text(n.NoticeByOn) != notice || text(n.DecideByOn) != decide {
		w.Errorf("end %s notice %s decide %s, want %s %s %s", text(n.EndOn), text(n.NoticeByOn), text(n.DecideByOn), end, notice, decide)
	}
}

// The published counter-example of domain.md, C6: GLPI had computed 2019-06-06.
func TestDatesFollowFromTheTerms(t *testing.T) {
	each(t, func(w *world) {
		n, err := w.add(w.pia, func(b *ent.ContractCreate) {
			b.SetStartOn(day("2018-09-27")).SetInitialMonths(36).SetNoticeMonths(3).SetDecisionLeadDays(21)
		})
		w.is(n, err, "2021-09-26", "2021-06-27", "2021-06-06")
		n, err = w.edit(w.pia, n, func(b *ent.ContractUpdateOne) { b.SetInitialMonths(12) })
		w.is(n, err, "2019-09-26", "2019-06-27", "2019-06-06")
		n, err = w.edit(w.pia, n, func(b *ent.ContractUpdateOne) { b.SetName("Other").SetEndOn(day("2019-09-26")).SetInitialMonths(24) })
		w.is(n, err, "2020-09-26", "2020-06-27", "2020-06-06") // a form sends the old end along
		n, err = w.edit(w.pia, n, func(b *ent.ContractUpdateOne) { b.SetEndOn(day("2020-12-31")) })
		w.is(n, err, "2020-12-31", "2020-10-01", "2020-09-10")
		n, err = w.edit(w.pia, n, func(b *ent.ContractUpdateOne) { b.SetInitialMonths(36).SetNoticeMonths(0) })
		w.is(n, err, "2020-12-31", "2020-12-31", "2020-12-10") // stated, so the months do not move it
		n, err = w.edit(w.pia, n, func(b *ent.ContractUpdateOne) { b.ClearEndOn() })
		w.is(n, err, "2021-09-26", "2021-09-26", "2021-09-05")
		n, err = w.edit(w.pia, n, func(b *ent.ContractUpdateOne) { b.ClearEndOn().ClearInitialMonths() })
		w.is(n, err, "", "", "")
		_, err = w.edit(w.pia, n, func(b *ent.ContractUpdateOne) { b.SetEndOn(day("2018-01-01")) })
		if e := errs.As(err); e == nil || e.Code != errs.Validation || e.Fields[0].Path != "end_on" {
			w.Errorf("an end before the beginning: %v", err)
		}
	})
}

// The history tells of derived dates too, and taking a change back puts them back.
func TestDerivedDatesAreOnRecord(t *testing.T) {
	each(t, func(w *world) {
		n, err := w.add(w.pia, func(b *ent.ContractCreate) { b.SetStartOn(day("2026-01-01")).SetInitialMonths(12).SetNoticeMonths(3) })
		w.is(n, err, "2026-12-31", "2026-10-01", "2026-09-01")
		token := ""
		w.tx(w.pia, func(ctx context.Context, c *ent.Client) error {
			token = store.Undoable(ctx)
			return c.Contract.UpdateOneID(n.ID).SetInitialMonths(6).Exec(ctx)
		})
		events := w.s.Client.ChangeEvent.Query().Where(changeevent.EntityID(n.ID)).Order(ent.Desc(changeevent.FieldID)).AllX(testkit.System())
		if d := events[0].Diff["end_on"]; d[0] != "2026-12-31" || d[1] != "2026-06-30" {
			w.Errorf("the record says %v", events[0].Diff)
		}
		if _, err := w.s.Undo(w.pia, token); err != nil {
			w.Fatal(err)
		}
		n, err = w.s.Client.Contract.Get(testkit.System(), n.ID)
		w.is(n, err, "2026-12-31", "2026-10-01", "2026-09-01")
	})
}

func TestStateIsReadFromTheDates(t *testing.T) {
	each(t, func(w *world) {
		n, err := w.add(w.pia, func(b *ent.ContractCreate) {
			b.SetStartOn(day("2026-01-01")).SetEndOn(day("2026-12-31")).SetNoticeMonths(1).SetDecisionLeadDays(30)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := contract.State(n, day("2026-06-01")); got != "DRAFT" {
			t.Errorf("a draft is %s", got)
		}
		n.Status = entcontract.StatusAPPROVED
		for on, want := range map[string]string{"2025-12-31": "APPROVED", "2026-01-01": "ACTIVE", "2026-10-31": "ACTIVE", "2026-11-01": "EXPIRING", "2026-12-31": "EXPIRING", "2027-01-01": "EXPIRED"} {
			if got := contract.State(n, day(on)); got != want {
				t.Errorf("on %s it is %s, not %s", on, got, want)
			}
		}
	})
}

func TestMoneyAndDatesAreFixedByApproval(t *testing.T) {
	each(t, func(w *world) {
		n, err := w.add(w.pia, func(b *ent.ContractCreate) { b.SetStartOn(today()).SetInitialMonths(12) })
		if err != nil {
			t.Fatal(err)
		}
		bare, err := w.add(w.pia, func(b *ent.ContractCreate) { b.Mutation().ClearVendorID(); b.Mutation().ResetValue() })
		if err != nil {
			t.Fatal(err)
		}
		_, err = contract.Move(w.pia, w.s, move.Input{ID: bare.ID, To: "UNDER_REVIEW", Version: 1})
		if e := errs.As(err); e == nil || e.Code != errs.Validation || len(e.Fields) != 4 {
			t.Errorf("without vendor, value, start and end it went to review: %v", err)
		}
		if n, err = contract.Move(w.pia, w.s, move.Input{ID: n.ID, To: "UNDER_REVIEW", Version: 1}); err != nil {
			t.Fatal(err)
		}
		if len(contract.Locked(n)) > 0 {
			t.Errorf("under review %v are locked", contract.Locked(n))
		}
		eva := w.as("Eva", "expense-authority", viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.home.ID, Level: viewer.LevelManager})
		if n, err = contract.Move(eva, w.s, move.Input{ID: n.ID, To: "APPROVED", Version: 2}); err != nil || n.Status != "APPROVED" {
			t.Fatal(n, err)
		}
		tries := map[string]func(*ent.ContractUpdateOne){
			"value": func(b *ent.ContractUpdateOne) { b.SetValue(1) }, "ceiling": func(b *ent.ContractUpdateOne) { b.SetCeiling(1) },
			"currency": func(b *ent.ContractUpdateOne) { b.SetCurrency("USD") }, "start_on": func(b *ent.ContractUpdateOne) { b.SetStartOn(day("2020-01-01")) },
			"initial_months": func(b *ent.ContractUpdateOne) { b.SetInitialMonths(13) }, "end_on": func(b *ent.ContractUpdateOne) { b.ClearEndOn() },
			"renewal_mode": func(b *ent.ContractUpdateOne) { b.SetRenewalMode("TACIT") }, "renewal_months": func(b *ent.ContractUpdateOne) { b.SetRenewalMonths(3) },
			"notice_months": func(b *ent.ContractUpdateOne) { b.SetNoticeMonths(9) },
		}
		if len(tries) != len(contract.Locked(n)) {
			t.Errorf("locked are %v", contract.Locked(n))
		}
		for column, try := range tries {
			_, err := w.edit(w.pia, n, try)
			if e := errs.As(err); e == nil || e.Code != errs.State || e.Fields[0].Path != column {
				t.Errorf("%s after approval: %v", column, err)
			}
		}
		after, err := w.edit(w.pia, n, func(b *ent.ContractUpdateOne) {
			b.SetName("New name").SetDecisionLeadDays(60).SetValue(*n.Value).SetCurrency("CAD").SetEndOn(*n.EndOn).SetRenewalMode("NONE").ClearCeiling()
		})
		if err != nil || after.Name != "New name" || *after.EndOn != *n.EndOn || *after.DecideByOn == *n.DecideByOn {
			t.Errorf("the rest stays editable, unchanged values included: %v, %v", after, err)
		}
		// What an import left open is filled in once.
		var imported *ent.Contract
		w.tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) (err error) {
			imported, err = c.Contract.Create().SetName("Published").SetPortfolioID(w.home.ID).SetStatus("APPROVED").SetOrigin("IMPORTED").SetValue(5).Save(ctx)
			return err
		})
		if imported, err = w.edit(w.pia, imported, func(b *ent.ContractUpdateOne) { b.SetStartOn(today()).SetEndOn(today().AddDays(9)) }); err != nil {
			t.Errorf("gaps of an import: %v", err)
		}
		for _, try := range []func(*ent.ContractUpdateOne){func(b *ent.ContractUpdateOne) { b.SetEndOn(today()) }, func(b *ent.ContractUpdateOne) { b.SetValue(6) }} {
			if _, err := w.edit(w.pia, imported, try); errs.CodeOf(err) != errs.State {
				t.Errorf("a published value: %v", err)
			}
		}
	})
}

func TestRenewals(t *testing.T) {
	each(t, func(w *world) {
		now := today()
		approved := func(name string, start, end civil.Date, fill func(*ent.ContractCreate)) *ent.Contract {
			var n *ent.Contract
			w.tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) (err error) {
				b := c.Contract.Create().SetName(name).SetPortfolioID(w.home.ID).SetVendorID(w.vendor.ID).SetValue(money.Amount(7)).SetStatus("APPROVED").SetStartOn(start).SetEndOn(end)
				if fill != nil {
					fill(b)
				}
				n, err = b.Save(ctx)
				return err
			})
			return n
		}
		approved("ends soon", now.AddDays(-300), now.AddDays(20), nil)
		approved("decide soon", now.AddDays(-300), now.AddDays(80), func(b *ent.ContractCreate) { b.SetDecisionLeadDays(70).AddProductIDs(w.product.ID) })
		approved("far", now.AddDays(-300), now.AddDays(400), nil)
		approved("tacit", now.AddDays(-700), now.AddDays(-340), func(b *ent.ContractCreate) { b.SetRenewalMode("TACIT").SetRenewalMonths(12).SetDecisionLeadDays(5) })
		gone := approved("archived", now.AddDays(-300), now.AddDays(20), nil)
		if err := w.s.Archive(testkit.System(), "Contract", gone.ID, gone.Version); err != nil {
			t.Fatal(err)
		}
		if _, err := w.add(w.pia, func(b *ent.ContractCreate) { b.SetStartOn(now).SetEndOn(now.AddDays(20)) }); err != nil {
			t.Fatal(err)
		}
		names := func(ctx context.Context) (out []string) {
			list, err := contract.Renewals(ctx, w.s, now, now.AddDays(40))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				out = append(out, r.Contract.Name+" "+r.State)
			}
			return out
		}
		want := []string{"decide soon ACTIVE", "tacit ACTIVE"}
		list, _ := contract.Renewals(w.pia, w.s, now, now.AddDays(40))
		got := names(w.pia)
		slices.Sort(got)
		want = append(want, "ends soon EXPIRING")
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("to decide: %v, not %v", got, want)
		}
		for i, r := range list {
			if i > 0 && r.DecideBy.Before(list[i-1].DecideBy) {
				t.Error("not in the order of the decisions")
			}
			if r.Contract.Value == nil || r.Contract.Edges.Vendor == nil || r.End.Before(now) {
				t.Errorf("%s: %+v", r.Contract.Name, r)
			}
		}
		member := viewer.Membership{Scope: viewer.ScopeProduct, ID: w.product.ID, Level: viewer.LevelContributor, PortfolioID: w.home.ID}
		con := w.as("Con", "contributor", member)
		if got := names(con); !slices.Equal(got, []string{"decide soon ACTIVE"}) {
			t.Errorf("a contributor of one product sees %v", got)
		}
		if list, _ := contract.Renewals(con, w.s, now, now.AddDays(40)); len(list) != 1 || list[0].Contract.Value != nil {
			t.Error("a contributor sees the price")
		}
		if got := names(w.as("Nora", "viewer", viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.home.ID, Level: viewer.LevelViewer})); len(got) > 0 {
			t.Errorf("a viewer sees %v", got)
		}
	})
}

// The key of a vendor's name follows the name, whoever writes it.
func TestVendorNameKey(t *testing.T) {
	each(t, func(w *world) {
		key := func(v *ent.Vendor) string { return w.s.Client.Vendor.GetX(testkit.System(), v.ID).NameNorm }
		var v *ent.Vendor
		w.tx(testkit.System(), func(ctx context.Context, c *ent.Client) (err error) {
			v, err = c.Vendor.Create().SetName("Ábaco   Data").Save(ctx)
			return err
		})
		if got := key(v); got != "ábaco data" {
			t.Errorf("a new vendor is found as %q", got)
		}
		w.tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOneID(v.ID).SetName("Abaco Inc.").Exec(ctx)
		})
		if got := key(v); got != "abaco inc." {
			t.Errorf("a renamed vendor is found as %q", got)
		}
	})
}
