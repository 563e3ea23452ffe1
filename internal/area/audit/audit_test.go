package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/audit"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func as(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

func TestAudit(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var home, away *ent.Portfolio
		var product *ent.Product
		var contract *ent.Contract
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			home, away = c.Portfolio.Create().SetName("Home").SetKey("home").SaveX(ctx), c.Portfolio.Create().SetName("Away").SaveX(ctx)
			product = c.Product.Create().SetName("P").SetPortfolioID(home.ID).SaveX(ctx)
			c.Product.Create().SetName("Far").SetPortfolioID(away.ID).SaveX(ctx)
			contract = c.Contract.Create().SetName("Support").SetPortfolioID(home.ID).SetValue(777_0000).AddProductIDs(product.ID).SaveX(ctx)
			return nil
		}))
		manager := as("Pia", "portfolio-manager", viewer.Membership{Scope: viewer.ScopePortfolio, ID: home.ID, Level: viewer.LevelManager})
		reason := "indexed"
		must(s.Tx(store.Because(manager, &reason), func(ctx context.Context, c *ent.Client) error {
			return c.Contract.UpdateOneID(contract.ID).SetValue(888_0000).SetName("Care").Exec(ctx)
		}))
		contributor := as("Con", "contributor", viewer.Membership{Scope: viewer.ScopeProduct, ID: product.ID, Level: viewer.LevelContributor, PortfolioID: home.ID})
		list := func(ctx context.Context, f audit.Filter) audit.Page {
			t.Helper()
			p, err := audit.List(ctx, s, f)
			must(err)
			return p
		}
		of := audit.Filter{Entity: "Contract", ID: contract.ID}

		p := list(manager, of)
		if len(p.Entries) != 2 || p.Next != "" {
			t.Fatalf("the manager reads %d entries", len(p.Entries))
		}
		last := p.Entries[0]
		if last.Event.Reason != "indexed" || last.Event.ActorName != "Pia" || last.Title != "Care" || last.Path != "/contracts/CT-000001" {
			t.Errorf("last: %+v", last)
		}
		if got := fmt.Sprint(last.Fields); got != "[{name Support Care false} {value 777.00 888.00 false}]" {
			t.Errorf("fields: %s", got)
		}

		// AU-5: neither the present nor the past price is anywhere in what a contributor gets.
		p = list(contributor, of)
		if len(p.Entries) != 2 {
			t.Fatalf("the contributor reads %d entries", len(p.Entries))
		}
		for _, x := range p.Entries {
			text := fmt.Sprintf("%+v %+v", x, *x.Event)
			if strings.Contains(text, "777.00") || strings.Contains(text, "888.00") || len(x.Event.Diff) > 0 || !strings.Contains(text, "{Name:value Before:<nil> After:<nil> Hidden:true}") {
				t.Errorf("the contributor reads %s", text)
			}
		}
		// An administrator sees that something happened, and none of the content.
		p = list(as("Ada", "app-admin"), of)
		if len(p.Entries) != 2 || p.Entries[0].Title != "" || strings.Contains(fmt.Sprintf("%+v", p.Entries), "Care") {
			t.Errorf("the administrator reads %+v", p.Entries)
		}
		if p = list(as("Aud", "auditor"), of); len(p.Entries) != 2 || p.Entries[0].Fields[1].After != "888.00" {
			t.Errorf("the auditor reads %+v", p.Entries)
		}
		if p = list(as("Nora", "viewer"), audit.Filter{}); len(p.Entries) != 0 {
			t.Errorf("a stranger reads %d entries", len(p.Entries))
		}

		// Filters and pages.
		whole := len(list(manager, audit.Filter{}).Entries)
		seen, after := map[ident.ID]bool{}, ""
		for range 10 {
			p := list(manager, audit.Filter{Limit: 1, After: after})
			for _, x := range p.Entries {
				seen[x.Event.ID] = true
			}
			if after = p.Next; after == "" {
				break
			}
		}
		if whole != 4 || len(seen) != whole {
			t.Errorf("%d entries in one page and %d in pages of one", whole, len(seen))
		}
		hour := time.Now().UTC().Add(-time.Hour)
		for what, c := range map[string]struct {
			f    audit.Filter
			want int
		}{
			"actor": {audit.Filter{Actor: "per_Pia"}, 1}, "op": {audit.Filter{Op: "CREATE"}, 3}, "via": {audit.Filter{Via: "PAGE"}, 1},
			"portfolio": {audit.Filter{Portfolio: away.ID}, 0}, "set": {audit.Filter{ChangeSet: last.Event.ChangeSet}, 1},
			"from": {audit.Filter{From: &hour}, 4}, "to": {audit.Filter{To: &hour}, 0},
		} {
			if n := len(list(manager, c.f).Entries); n != c.want {
				t.Errorf("by %s: %d, not %d", what, n, c.want)
			}
		}
		for what, f := range map[string]audit.Filter{"op": {Op: "X"}, "via": {Via: "X"}, "after": {After: "x"}, "limit": {Limit: 101}} {
			if _, err := audit.List(manager, s, f); errs.CodeOf(err) != errs.Validation && errs.CodeOf(err) != errs.Limit {
				t.Errorf("bad %s: %v", what, err)
			}
		}
	})
}
