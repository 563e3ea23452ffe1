package budget

import (
	"context"

	"steward/ent"
	"steward/ent/fiscalperiod"
	"steward/internal/area/portfolio"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
)

// OpenYear makes the twelve months of a fiscal year in a portfolio (by key or slug), for
// finance officers and the portfolio's manager, and returns them in order. Months that are
// there already stay as they are.
func OpenYear(ctx context.Context, s *store.Store, portfolioKey string, fiscalYear int) ([]*ent.FiscalPeriod, error) {
	var out []*ent.FiscalPeriod
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		p, err := portfolio.ByKey(ctx, s, portfolioKey)
		if err != nil {
			return err
		}
		if fiscalYear < 1900 || fiscalYear > 2199 {
			return errs.Invalid("fiscalYear", "error.fiscal.year", "value", fiscalYear)
		}
		there, err := c.FiscalPeriod.Query().Where(fiscalperiod.PortfolioID(p.ID), fiscalperiod.FiscalYear(fiscalYear),
			fiscalperiod.LengthEQ(fiscalperiod.LengthMONTH)).All(ctx)
		if err != nil {
			return err
		}
		known := map[civil.Period]*ent.FiscalPeriod{}
		for _, f := range there {
			known[f.Period] = f
		}
		for _, month := range calendarOf(p.FiscalYearStartMonth).Periods(fiscalYear, fiscal.Month) {
			f := known[month]
			if f == nil {
				if f, err = c.FiscalPeriod.Create().SetPortfolioID(p.ID).SetFiscalYear(fiscalYear).SetPeriod(month).Save(ctx); err != nil {
					return err
				}
			}
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

// ClosePeriod closes the books of a period: no forecast of it is edited and nothing is posted
// to it until it is opened again. Finance officers do that, once the period is over in the
// portfolio's time zone (else errs.State). A stale version is a conflict.
func ClosePeriod(ctx context.Context, s *store.Store, id ident.ID, version int) (*ent.FiscalPeriod, error) {
	return turn(ctx, s, id, version, fiscalperiod.StatusCLOSED)
}

// ReopenPeriod opens a closed period again, for finance officers.
func ReopenPeriod(ctx context.Context, s *store.Store, id ident.ID, version int) (*ent.FiscalPeriod, error) {
	return turn(ctx, s, id, version, fiscalperiod.StatusOPEN)
}

// turn sets the state of a period under the right to execute.
func turn(ctx context.Context, s *store.Store, id ident.ID, version int, to fiscalperiod.Status) (*ent.FiscalPeriod, error) {
	var out *ent.FiscalPeriod
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		f, err := c.FiscalPeriod.Query().Where(fiscalperiod.ID(id)).WithPortfolio().Only(ctx)
		if err != nil {
			return err
		}
		if !reach(ctx, "FiscalPeriod", access.Execute).Includes(rowOf(f.PortfolioID, nil)) {
			return errs.Forbidden()
		}
		if f.Version != version {
			return s.Stale(ctx, "FiscalPeriod", id, errs.NotFound())
		}
		if f.Status == to {
			return errs.New(errs.State, "error.state", "machine", "fiscal_period", "from", string(f.Status), "to", string(to))
		}
		u := c.FiscalPeriod.UpdateOne(f).SetStatus(to)
		if to == fiscalperiod.StatusOPEN {
			u.ClearClosedOn()
		} else {
			home := Portfolio{TimeZone: "UTC"}
			if p := f.Edges.Portfolio; p != nil {
				home.TimeZone = p.TimeZone
			}
			if !fiscal.MayClose(f.Period.Add(fiscal.Length(f.Length).Months()-1), home.today()) {
				return errs.New(errs.State, "budget.period_running", "period", f.Period)
			}
			u.SetClosedOn(home.today())
		}
		out, err = u.Where(fiscalperiod.Version(version)).Save(store.Acting(ctx, access.Execute))
		return s.Stale(ctx, "FiscalPeriod", id, err)
	})
	return out, err
}
