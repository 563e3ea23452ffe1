package portfolio

import (
	"context"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent/contract"
	"steward/ent/initiative"
	"steward/ent/portfolio"
	"steward/internal/platform/store"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// CurrencyTotals is the money of one currency at a glance. Planned, Projected and Actual add
// up initiatives, and Portfolios and Products count where these are at home; Contracted adds
// up the values of contracts, each once however many products it covers. An amount is nil
// when nothing has one; Contracted also when the viewer may not see what contracts cost.
type CurrencyTotals struct {
	Currency                   string
	Portfolios                 int
	Products                   int
	Initiatives                int
	Planned, Projected, Actual *money.Amount
	Contracted                 *money.Amount
}

// Calendar returns the fiscal calendar of the portfolios that the viewer reads: theirs where they
// have one in common, else the calendar year, in which a fiscal year is called by the year it
// starts in.
func Calendar(ctx context.Context, s *store.Store) (fiscal.Calendar, error) {
	months, err := s.ClientOf(ctx).Portfolio.Query().Where(portfolio.ArchivedAtIsNil()).Unique(true).Limit(2).Select(portfolio.FieldFiscalYearStartMonth).Ints(ctx)
	if err != nil || len(months) != 1 {
		return fiscal.Calendar{}, store.Known(err)
	}
	return fiscal.Calendar{StartMonth: time.Month(months[0])}, nil
}

// Totals adds up the unarchived initiatives and contracts that the viewer reads, one row for
// each currency in alphabetical order; those of one portfolio where its key or slug is given
// (errs.NotFound when the viewer has no such). Two statements, three with a portfolio.
func Totals(ctx context.Context, s *store.Store, key *string) ([]CurrencyTotals, error) {
	var in []ident.ID
	if key != nil {
		p, err := ByKey(ctx, s, *key)
		if err != nil {
			return nil, err
		}
		in = []ident.ID{p.ID}
	}
	work := s.ClientOf(ctx).Initiative.Query().Where(initiative.ArchivedAtIsNil())
	agreed := s.ClientOf(ctx).Contract.Query().Where(contract.ArchivedAtIsNil(), contract.ValueNotNil())
	if in != nil {
		work.Where(initiative.PortfolioIDIn(in...))
		agreed.Where(contract.PortfolioIDIn(in...))
	}
	var rows []struct {
		Currency    string        `sql:"currency"`
		Portfolios  int           `sql:"portfolios"`
		Products    int           `sql:"products"`
		Initiatives int           `sql:"initiatives"`
		Planned     *money.Amount `sql:"planned"`
		Projected   *money.Amount `sql:"projected"`
		Actual      *money.Amount `sql:"actual"`
	}
	err := work.Modify(func(sel *sql.Selector) {
		sel.Select(sel.C(initiative.FieldCurrency),
			sql.As(sql.Count(sql.Distinct(sel.C(initiative.FieldPortfolioID))), "portfolios"),
			sql.As(sql.Count(sql.Distinct(sel.C(initiative.FieldProductID))), "products"),
			sql.As("COUNT(*)", "initiatives"), sql.As(sql.Sum(sel.C(initiative.FieldPlanned)), "planned"),
			sql.As(sql.Sum(sel.C(initiative.FieldProjected)), "projected"), sql.As(sql.Sum(sel.C(initiative.FieldActual)), "actual")).
			GroupBy(sel.C(initiative.FieldCurrency))
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, store.Known(err)
	}
	var out []CurrencyTotals
	at := map[string]int{}
	for i, r := range rows {
		at[r.Currency] = i
		out = append(out, CurrencyTotals{r.Currency, r.Portfolios, r.Products, r.Initiatives, r.Planned, r.Projected, r.Actual, nil})
	}
	if !store.HiddenField(ctx, "Contract", contract.FieldValue) {
		var sums []struct {
			Currency string        `sql:"currency"`
			Value    *money.Amount `sql:"value"`
		}
		err := agreed.Modify(func(sel *sql.Selector) {
			sel.Select(sel.C(contract.FieldCurrency), sql.As(sql.Sum(sel.C(contract.FieldValue)), "value")).GroupBy(sel.C(contract.FieldCurrency))
		}).Scan(ctx, &sums)
		if err != nil {
			return nil, store.Known(err)
		}
		for _, c := range sums {
			i, ok := at[c.Currency]
			if !ok {
				i = len(out)
				out = append(out, CurrencyTotals{Currency: c.Currency})
			}
			out[i].Contracted = c.Value
		}
	}
	slices.SortFunc(out, func(a, b CurrencyTotals) int { return strings.Compare(a.Currency, b.Currency) })
	return out, nil
}
