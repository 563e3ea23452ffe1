package portfolio

import (
	"context"
	"fmt"
	"testing"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func person(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name,
		Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

func show(list []CurrencyTotals) (out []string) {
	text := func(a *money.Amount) string {
		if a == nil {
			return "none"
		}
		return a.String()
	}
	for _, c := range list {
		out = append(out, fmt.Sprint(c.Currency, " ", c.Portfolios, " ", c.Products, " ", c.Initiatives, " ", text(c.Planned), " ", text(c.Projected), " ", text(c.Actual), " ", text(c.Contracted)))
	}
	return out
}

func TestTotals(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var ours ident.ID
		err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			a := c.Portfolio.Create().SetName("Ours").SetKey("ours").SaveX(ctx)
			b := c.Portfolio.Create().SetName("Theirs").SetKey("theirs").SaveX(ctx)
			ours = a.ID
			p, q := c.Product.Create().SetName("P").SetPortfolioID(a.ID).SaveX(ctx), c.Product.Create().SetName("Q").SetPortfolioID(a.ID).SaveX(ctx)
			work := func(pf ident.ID, product *ident.ID, currency string) *ent.InitiativeCreate {
				return c.Initiative.Create().SetName("I").SetPortfolioID(pf).SetNillableProductID(product).SetCurrency(currency)
			}
			work(a.ID, &p.ID, "CAD").SetPlanned(100_0000).SetProjected(120_5000).SaveX(ctx)
			work(a.ID, &p.ID, "CAD").SetPlanned(1_0000).SaveX(ctx)
			work(a.ID, nil, "CAD").SaveX(ctx)
			work(a.ID, &q.ID, "USD").SetActual(7_0000).SaveX(ctx)
			work(b.ID, nil, "CAD").SetPlanned(1000_0000).SaveX(ctx)
			c.Initiative.UpdateOneID(work(a.ID, nil, "CAD").SetPlanned(9_0000).SaveX(ctx).ID).SetArchivedAt(work(a.ID, nil, "JPY").SaveX(ctx).CreatedAt).SaveX(ctx)
			c.Contract.Create().SetName("C").SetPortfolioID(a.ID).SetCurrency("CAD").SetValue(500_0000).AddProductIDs(p.ID, q.ID).SaveX(ctx)
			c.Contract.Create().SetName("D").SetPortfolioID(b.ID).SetCurrency("EUR").SetValue(3_0000).SaveX(ctx)
			c.Contract.Create().SetName("E").SetPortfolioID(a.ID).SetCurrency("GBP").SaveX(ctx)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		in := func(level viewer.Level) viewer.Membership {
			return viewer.Membership{Scope: viewer.ScopePortfolio, ID: ours, Level: level}
		}
		theirs := "theirs"
		slug := "ours"
		for _, c := range []struct {
			who  context.Context
			key  *string
			want string
		}{
			{person("Max", "executive"), nil, "[CAD 2 1 4 1101.00 120.50 none 500.00 EUR 0 0 0 none none none 3.00 JPY 1 0 1 none none none none USD 1 1 1 none none 7.00 none]"},
			{person("Max", "executive"), &theirs, "[CAD 1 0 1 1000.00 none none none EUR 0 0 0 none none none 3.00]"},
			{person("Pia", "portfolio-manager", in(viewer.LevelManager)), nil, "[CAD 1 1 3 101.00 120.50 none 500.00 JPY 1 0 1 none none none none USD 1 1 1 none none 7.00 none]"},
			{person("Vic", "viewer", in(viewer.LevelViewer)), &slug, "[CAD 1 1 3 101.00 120.50 none none JPY 1 0 1 none none none none USD 1 1 1 none none 7.00 none]"},
			{person("Nora", "no-such-role"), nil, "[]"},
		} {
			s.Statements.Reset()
			got, err := Totals(c.who, s, c.key)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(show(got)) != c.want {
				t.Errorf("%s sees %v, expected %s", viewer.From(c.who).Name, show(got), c.want)
			}
			if n := s.Statements.N(); n > 3 || c.key == nil && n > 2 {
				t.Errorf("that took %d statements", n)
			}
		}
		if _, err := Totals(person("Pia", "portfolio-manager", in(viewer.LevelManager)), s, &theirs); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("a foreign portfolio answers %v", err)
		}
	})
}

func TestByKey(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Portfolio.Create().SetName("Digital").SetKey("dio").Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"dio", "PF-DIO", "pf-dio", " Dio "} {
			if p, err := ByKey(testkit.System(), s, key); err != nil || p.Name != "Digital" {
				t.Errorf("%q: %v", key, err)
			}
		}
		for _, key := range []string{"", "PF-", "PRD-DIO", "nope"} {
			if _, err := ByKey(testkit.System(), s, key); errs.CodeOf(err) != errs.CodeNotFound {
				t.Errorf("%q answers %v", key, err)
			}
		}
	})
}
