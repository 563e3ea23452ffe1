package budget

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"steward/ent/budgetcell"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

// A thousand editors save at once: half of them fight over one cell, the others write cells
// of their own in the same plan. Nobody's acknowledged amount is lost, everybody gets an
// answer, and the totals are the sum of the cells.
func TestAThousandEditorsLoseNothing(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		set(t, w.manager, s, edit(w.lines[0], "2026-04", Planned, "0", 0))
		periods := calendarOf(4).Periods(2026, "MONTH")
		const editors = 1000
		var acknowledged, told, contended atomic.Int64
		var own [3 * 12]atomic.Int64 // versions of the cells each worker keeps to itself
		queue := make(chan int)
		var wg sync.WaitGroup
		for worker := range 24 {
			wg.Go(func() {
				seen := 1
				for n := range queue {
					e := edit(w.lines[0], "2026-04", Planned, fmt.Sprint(n+1), seen)
					mine := n%2 == 1
					if mine { // cell 0 is the contended one
						i := 1 + worker
						e = edit(w.lines[i/12], string(periods[i%12]), Planned, fmt.Sprint(n+1), int(own[i].Load()))
					}
					r, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{e}})
					switch code := errs.CodeOf(err); {
					case code == "" && mine:
						own[1+worker].Store(int64(r.Lines[0].Cells[0].Version))
						acknowledged.Add(1)
					case code == "":
						seen = r.Lines[0].Cells[0].Version
						acknowledged.Add(1)
						contended.Add(1)
					case code == errs.Conflict:
						seen = errs.As(err).Current.([]Clash)[0].Version
						told.Add(1)
						if mine {
							t.Errorf("an editor's own cell is in conflict: %v", err)
						}
					case code == errs.Unavailable:
						told.Add(1)
					default:
						t.Errorf("editor %d got %v", n, err)
					}
				}
			})
		}
		for n := range editors {
			queue <- n
		}
		close(queue)
		wg.Wait()
		t.Logf("%d acknowledged, %d told", acknowledged.Load(), told.Load())
		if acknowledged.Load()+told.Load() != editors {
			t.Errorf("%d acknowledged and %d told are not %d", acknowledged.Load(), told.Load(), editors)
		}
		c := s.Client.BudgetCell.Query().Where(budgetcell.LineID(w.lines[0].ID), budgetcell.Period("2026-04")).OnlyX(w.manager)
		if c.Version != 1+int(contended.Load()) {
			t.Errorf("the contended cell is in version %d after %d acknowledged changes", c.Version, contended.Load())
		}
		for i := 1; i <= 24; i++ {
			want := int(own[i].Load())
			if want == 0 {
				continue
			}
			have := s.Client.BudgetCell.Query().Where(budgetcell.LineID(w.lines[i/12].ID), budgetcell.Period(periods[i%12])).OnlyX(w.manager)
			if have.Version != want {
				t.Errorf("a cell of one editor is in version %d, acknowledged was %d", have.Version, want)
			}
		}
		w.check(t)
	})
}

// Whatever batches are written, posted, taken back, refused: totals equal the live sum, and
// the cells equal a model of them.
func TestTotalsAlwaysEqualTheLiveSum(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		lines := append(w.lines, w.prodLine)
		periods := calendarOf(4).Periods(2026, "MONTH")
		type value struct {
			amounts [3]*money.Amount
			version int
		}
		model := map[where]value{}
		any := func() *money.Amount {
			if r.IntN(4) == 0 {
				return nil
			}
			a := money.Amount(r.Int64N(2_000_000_0000) - 500_000_0000)
			return &a
		}
		var tokens []string
		for range 120 {
			next := map[where]value{}
			for k, v := range model {
				next[k] = v
			}
			switch op := r.IntN(10); {
			case op < 6: // a batch of edits, sometimes with a stale version
				var edits []CellEdit
				used := map[string]bool{}
				stale := r.IntN(8) == 0
				for range 1 + r.IntN(8) {
					l, p, k := lines[r.IntN(len(lines))], periods[r.IntN(3)], amountKind(r.IntN(2))
					if key := fmt.Sprint(l.ID, p, k); used[key] {
						continue
					} else {
						used[key] = true
					}
					v := model[where{l.ID, p}]
					e := CellEdit{l.ID, p, []Field{Planned, Forecast}[k], any(), v.version}
					if stale {
						e.Version += 1 + r.IntN(2)
					}
					n := next[where{l.ID, p}]
					n.amounts[k] = e.Amount
					next[where{l.ID, p}] = n
					edits = append(edits, e)
				}
				out, err := SetCells(w.manager, s, SetCellsInput{Cells: edits})
				if stale {
					if err == nil {
						t.Fatal("a stale batch was written")
					}
					continue
				}
				must(t, err)
				for _, l := range out.Lines {
					for _, c := range l.Cells {
						n := next[where{l.ID, c.Period}]
						n.version = c.Version
						next[where{l.ID, c.Period}] = n
					}
				}
				if out.UndoToken != "" {
					tokens = append(tokens, out.UndoToken)
				}
			case op < 8: // postings
				var list []Posting
				for i := range 1 + r.IntN(4) {
					l, p := lines[i], periods[r.IntN(3)]
					a := any()
					list = append(list, Posting{l.ID, p, a})
					n := next[where{l.ID, p}]
					n.amounts[actual] = a
					next[where{l.ID, p}] = n
				}
				_, err := PostActual(w.finance, s, PostActualInput{Postings: list})
				must(t, err)
				next = nil // versions are read back below
			case len(tokens) > 0: // the last change is taken back, where nothing has changed since
				_, err := s.Undo(w.manager, tokens[len(tokens)-1])
				tokens = tokens[:len(tokens)-1]
				if err != nil && errs.CodeOf(err) != errs.Conflict {
					t.Fatal(err)
				}
				next = nil
			}
			stored := map[where]value{}
			for _, c := range s.Client.BudgetCell.Query().AllX(testkit.System()) {
				stored[where{c.LineID, c.Period}] = value{[3]*money.Amount{c.Planned, c.Forecast, c.Actual}, c.Version}
			}
			for k, v := range next {
				for i := range v.amounts {
					if !equal(v.amounts[i], stored[k].amounts[i]) || v.version != stored[k].version {
						t.Fatalf("cell %v is %+v, expected %+v", k, stored[k], v)
					}
				}
			}
			model = stored
			w.check(t)
			if t.Failed() {
				t.FailNow()
			}
		}
	})
}

// Two batches that touch two plans in opposite order wait for one another and both pass.
func TestOppositeOrderDoesNotDeadlock(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				for n := range 15 {
					p := civil.PeriodOf(2026, 4).Add(worker)
					a, b := CellEdit{w.lines[worker%3].ID, p, Planned, amount("1"), n}, CellEdit{w.prodLine.ID, p, Planned, amount("2"), n}
					if worker%2 == 1 {
						a, b = b, a
					}
					x, y := amount(fmt.Sprint(n+1)), amount(fmt.Sprint(n+2))
					a.Amount, b.Amount = x, y
					if _, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{a, b}}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		w.check(t)
	})
}

// The books win over one another in some order, and over nobody's plan: postings to the same
// cells at once, beside people who type, never clash and leave the totals right.
func TestPostingsBesideEditors(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		var wg sync.WaitGroup
		for worker := range 6 {
			wg.Go(func() {
				for n := range 10 {
					list := []Posting{{w.lines[n%3].ID, "2026-04", amount(fmt.Sprint(worker*100 + n))}, {w.prodLine.ID, "2026-05", amount(fmt.Sprint(n))}}
					if _, err := PostActual(w.finance, s, PostActualInput{Postings: list}); err != nil {
						t.Errorf("posting: %v", err)
					}
					e := CellEdit{w.lines[worker%3].ID, civil.PeriodOf(2026, 6).Add(worker / 3), Planned, amount(fmt.Sprint(n + 1)), n}
					if _, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{e}}); err != nil {
						t.Errorf("typing: %v", err)
					}
				}
			})
		}
		wg.Wait()
		w.check(t)
	})
}
