// Package seed fills an empty database with the demo: an invented organisation with the portfolio,
// teams, products, partners, budgets, contracts and goals that the walk-throughs of the handbook use.
// Names and figures are invented, dates lie around the day it is run on, and the same day always gives
// the same demo.
//
// internal/app calls Demo for `serve --demo` and `seed demo`; tests call it for data that looks real.
package seed

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// ErrNotEmpty is the refusal to mix invented records with others.
var ErrNotEmpty = errors.New("the database already holds portfolios: the demo goes into an empty one only")

// zone is where the demo organisation works; its days begin and end there.
const zone = "America/Vancouver"

// Figures says how many records of each entity were made.
type Figures map[string]int

// Empty reports whether the database holds no portfolio, archived ones included.
func Empty(ctx context.Context, s *store.Store) (bool, error) {
	n, err := s.Client.Portfolio.Query().Count(system(ctx))
	return n == 0, store.Known(err)
}

// Demo writes the demo as it looks on the day of now, in one transaction: it is all there or nothing is.
// The rules of the areas must be installed on the store, as internal/app does it: they work out dates and
// count lines.
// It fails with ErrNotEmpty where there are portfolios already. tell, when not nil, hears the name of
// each step as it begins.
func Demo(ctx context.Context, s *store.Store, now time.Time, tell func(step string)) (Figures, error) {
	if tell == nil {
		tell = func(string) {}
	}
	home, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	w := &world{today: civil.DateOf(now.In(home)), made: Figures{}, people: map[string]ident.ID{}, teams: map[string]ident.ID{},
		portfolios: map[string]ident.ID{}, products: map[string]ident.ID{}, vendors: map[string]ident.ID{}, components: map[string]ident.ID{},
		capabilities: map[string]ident.ID{}, organizations: map[string]ident.ID{}, clients: map[string]ident.ID{}, contracts: map[string]ident.ID{}}
	err = s.Tx(store.Moving(system(ctx)), func(ctx context.Context, c *ent.Client) error {
		if n, err := c.Portfolio.Query().Count(ctx); err != nil || n > 0 {
			return errors.Join(err, refusal(n))
		}
		for _, step := range []struct {
			name string
			do   func(context.Context, *ent.Client) error
		}{
			{"organisations and vendors", w.organisation}, {"people and teams", w.staff}, {"portfolios and products", w.portfolio},
			{"memberships", w.memberships}, {"components", w.component}, {"clients and environments", w.client}, {"contracts", w.contract},
			{"procurements", w.procurement}, {"budgets", w.budget}, {"objectives", w.objective}, {"initiatives", w.initiative}, {"comments", w.comment},
		} {
			tell(step.name)
			if err := step.do(ctx, c); err != nil {
				return fmt.Errorf("seed, %s: %w", step.name, err)
			}
		}
		tell("history")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return w.made, nil
}

func refusal(n int) error {
	if n > 0 {
		return ErrNotEmpty
	}
	return nil
}

// system returns ctx with the system as the viewer.
func system(ctx context.Context) context.Context {
	return viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, ""))
}

// world is the demo while it is being made: the ids of what later steps refer to, by short name.
type world struct {
	today civil.Date
	made  Figures

	people, teams, portfolios, products, vendors, components, capabilities, organizations, clients, contracts map[string]ident.ID
}

// calendar of the demo's main portfolio: fiscal years from April.
func (w *world) calendar() fiscal.Calendar { return fiscal.Calendar{StartMonth: time.April} }

// day returns the day n days from today; negative lies in the past.
func (w *world) day(n int) *civil.Date { d := w.today.AddDays(n); return &d }

// at returns noon of the day n days from today.
func (w *world) at(n int) time.Time {
	d := w.today.AddDays(n)
	return time.Date(d.Year, d.Month, d.Day, 20, 0, 0, 0, time.UTC)
}

// closed reports whether the books of a month are closed: two weeks after it has ended.
func (w *world) closed(p civil.Period) bool { return w.today.After(p.Last().AddDays(14)) }

// chance returns the pseudo-random numbers of one thing, the same at every run whatever else changes.
func chance(of string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(of))
	return rand.New(rand.NewPCG(h.Sum64(), 20260401))
}

// dollars returns a whole amount.
func dollars(n int64) money.Amount { return money.Amount(n * 10000) }

// some returns a pointer to a value, for columns that may be empty.
func some[T any](v T) *T { return &v }

// ref returns a pointer to the id of a short name, nil for an empty one. A name that is not there is a
// fault of the program.
func ref(of map[string]ident.ID, name string) *ident.ID {
	if name == "" {
		return nil
	}
	return some(id(of, name))
}

func id(of map[string]ident.ID, name string) ident.ID {
	v, ok := of[name]
	if !ok {
		panic("seed: nothing is called " + name)
	}
	return v
}
