package move

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/contract"
	"steward/ent/product"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/term"
	"steward/internal/rules/viewer"
)

// Record is a row with what decides about its moves, for the viewer it was loaded for.
type Record struct {
	ID       ident.ID
	Entity   string
	Machine  flow.Machine
	State    string // as shown: an approved contract is ACTIVE, EXPIRING or EXPIRED by its dates
	Stored   string // as kept
	Version  int
	Archived bool
	Row      entity.Row

	viewer *viewer.Viewer
	places []access.Row
	past   []step
	limit  limit
}

// step is a move made earlier: from where, to where and by whom.
type step struct{ from, to, actor string }

// Load returns the records of an entity that the viewer of ctx may see, in no
// particular order. An entity without states is a fault of the program.
func Load(ctx context.Context, s *store.Store, name string, ids ...ident.ID) ([]Record, error) {
	return load(ctx, s, name, false, ids...)
}

// Actions returns the moves the viewer of ctx may make on one record now, and
// NotFound for one they cannot see.
func Actions(ctx context.Context, s *store.Store, name string, id ident.ID) ([]flow.Move, error) {
	found, err := Load(ctx, s, name, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errs.NotFound()
	}
	return found[0].Actions(), nil
}

// Actions returns the moves out of the present state that the viewer may make, in
// the order of the table. Each succeeds when it is asked for with the record's
// version, a note where it needs one, and what the area demands of the record.
func (r Record) Actions() []flow.Move {
	var out []flow.Move
	if r.Archived {
		return nil
	}
	for _, mv := range r.Machine.Moves {
		if mv.From == r.State && r.refusal(mv) == nil {
			out = append(out, mv)
		}
	}
	return out
}

func load(ctx context.Context, s *store.Store, name string, lock bool, ids ...ident.ID) ([]Record, error) {
	e := entity.ByName(name)
	if e == nil || e.Machine == "" {
		return nil, fmt.Errorf("move: %s has no states", name)
	}
	machine, ok := flow.Named(e.Machine)
	if !ok {
		return nil, fmt.Errorf("move: %s has no machine %s", name, e.Machine)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := e.List(ctx, s.ClientOf(ctx), func(sel *sql.Selector) {
		sel.Where(sql.In(sel.C("id"), anys(ids)...))
		if lock {
			s.Lock()(sel)
		}
	}, func(*sql.Selector) {}, 0, 0)
	if err != nil || len(rows) == 0 {
		return nil, store.Known(err)
	}
	v := viewer.From(ctx)
	// From here on only what belongs to rows that the viewer sees is read.
	own := scope.Elevate(ctx)
	out := make([]Record, len(rows))
	for i, row := range rows {
		r := Record{ID: row.ID, Entity: name, Machine: machine, Row: row, viewer: v, places: []access.Row{placeOf(e, row)}}
		r.Version, _ = e.Value(row, "version").(int)
		r.Archived = e.Value(row, "archived_at") != nil
		r.Stored, _ = e.Value(row, stateField(e)).(string)
		r.State = r.Stored
		out[i] = r
	}
	if name == "Contract" {
		if err := contracts(own, s, out); err != nil {
			return nil, store.Known(err)
		}
	}
	if err := history(own, s, e, out); err != nil {
		return nil, store.Known(err)
	}
	return out, store.Known(limits(own, s, out))
}

// stateField is the column that holds an entity's state.
func stateField(e *entity.Entity) string {
	if _, ok := e.Field("stage"); ok {
		return "stage"
	}
	return "status"
}

// placeOf says where a row lies.
func placeOf(e *entity.Entity, row entity.Row) access.Row {
	id := func(field string) ident.ID { x, _ := e.Value(row, field).(ident.ID); return x }
	p := access.Row{ID: row.ID, Portfolio: id("portfolio_id"), Product: id("product_id"), Vendor: id("vendor_id")}
	if e.Name == "Product" {
		p.Product = row.ID
	}
	return p
}

// contracts adds what a contract's own row does not say: the products it covers
// and the state its dates put it in today, where it lies.
func contracts(ctx context.Context, s *store.Store, out []Record) error {
	ids := make([]ident.ID, len(out))
	for i := range out {
		ids[i] = out[i].ID
	}
	rows, err := s.ClientOf(ctx).Contract.Query().Where(contract.IDIn(ids...)).
		WithProducts(func(q *ent.ProductQuery) { q.Select(product.FieldID) }).WithPortfolio().All(ctx)
	if err != nil {
		return err
	}
	for _, n := range rows {
		i := slices.IndexFunc(out, func(r Record) bool { return r.ID == n.ID })
		for _, p := range n.Edges.Products {
			at := out[i].places[0]
			at.Product = p.ID
			out[i].places = append(out[i].places, at)
		}
		out[i].State = Terms(n).State(string(n.Status), TodayIn(n.Edges.Portfolio))
	}
	return nil
}

// Terms returns what a contract says about its time, as rules/term understands it.
func Terms(n *ent.Contract) term.Terms {
	return term.Terms{
		Start: n.StartOn, InitialMonths: n.InitialMonths, End: n.EndOn,
		Renewal: term.Renewal(n.RenewalMode), RenewalMonths: n.RenewalMonths,
		NoticeMonths: n.NoticeMonths, LeadDays: n.DecisionLeadDays,
	}
}

// Today returns the calendar day it is now in the time zone of a portfolio, which
// the viewer need not be able to read: something of theirs lies in it.
func Today(ctx context.Context, s *store.Store, portfolio ident.ID) (civil.Date, error) {
	p, err := s.ClientOf(ctx).Portfolio.Get(scope.Elevate(ctx), portfolio)
	if err != nil {
		return civil.Date{}, store.Known(err)
	}
	return TodayIn(p), nil
}

// TodayIn returns the calendar day it is now in the time zone of p, and in UTC for
// a zone that does not exist.
func TodayIn(p *ent.Portfolio) civil.Date {
	now := time.Now().UTC()
	if p != nil {
		if zone, err := time.LoadLocation(p.TimeZone); err == nil {
			now = now.In(zone)
		}
	}
	return civil.DateOf(now)
}

// history reads the earlier moves of records that can leave their state by a move
// which depends on them.
func history(ctx context.Context, s *store.Store, e *entity.Entity, out []Record) error {
	var ids []ident.ID
	for _, r := range out {
		if slices.ContainsFunc(r.Machine.Moves, func(mv flow.Move) bool {
			return mv.From == r.State && mv.Needs&(flow.SecondPerson|flow.Submitter|flow.Previous) != 0
		}) {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	events, err := s.ClientOf(ctx).ChangeEvent.Query().
		Where(changeevent.EntityIDIn(ids...), changeevent.OpEQ(changeevent.OpUPDATE)).
		Order(changeevent.ByAt(), changeevent.ByEntityVersion()).All(ctx)
	if err != nil {
		return err
	}
	field := stateField(e)
	for _, ev := range events {
		d, moved := ev.Diff[field]
		if !moved {
			continue
		}
		i := slices.IndexFunc(out, func(r Record) bool { return r.ID == ev.EntityID })
		out[i].past = append(out[i].past, step{from: fmt.Sprint(d[0]), to: fmt.Sprint(d[1]), actor: ev.ActorID})
	}
	return nil
}

func anys(ids []ident.ID) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}
