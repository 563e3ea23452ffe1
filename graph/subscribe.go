package graph

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"entgo.io/contrib/entgql"

	"steward/ent"
	"steward/ent/budgetcell"
	"steward/ent/budgetline"
	"steward/ent/notification"
	"steward/graph/model"
	"steward/internal/platform/feed"
	"steward/internal/platform/i18n"
	"steward/internal/platform/job"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// batch is how many changes a stream reads at once.
const batch = 100

// begin is where a stream of changes goes on: Last-Event-ID, the argument, or the end.
func (r *Resolver) begin(ctx context.Context, after *entgql.Cursor[ident.ID]) (feed.Place, error) {
	if from := callOf(ctx).stream.from; from != "" {
		p, ok := feed.Parse(from)
		if !ok {
			return p, errs.Invalid("Last-Event-ID", "error.cursor")
		}
		return feed.Find(ctx, r.Store, p)
	}
	if after != nil {
		return r.place(ctx, after)
	}
	return feed.Now(ctx, r.Store)
}

// followFeed is follow of the change feed from a place on: it reads only when
// something of the types has changed, up to where the hub has looked.
func followFeed[T any](ctx context.Context, r *Resolver, at feed.Place, types []string, events func(context.Context, []feed.Change) ([]item[T], error)) (<-chan T, error) {
	end, reads := at, true
	return follow(ctx, r, wish{types: types}, func(ctx context.Context, n news) ([]item[T], state, error) {
		if n.to != (feed.Place{}) {
			concerns := n.all || slices.ContainsFunc(types, func(t string) bool { return n.types[t] })
			if end = n.to; !reads && !concerns && !at.Before(n.from) {
				at = end
				return nil, idle, nil
			}
		}
		page, next, more, err := feed.Read(ctx, r.Store, at, end, types, batch)
		if err != nil {
			return nil, ended, err
		}
		at, reads = next, more
		list, err := events(ctx, page)
		if more {
			return list, again, err
		}
		return list, idle, err
	})
}

// changeStream sends each change of the types.
func (r *Resolver) changeStream(ctx context.Context, types []string, after *entgql.Cursor[ident.ID]) (<-chan *model.Change, error) {
	if err := feedTypes(types); err != nil {
		return nil, err
	}
	if len(types) == 0 {
		types = feed.Types()
	}
	at, err := r.begin(ctx, after)
	if err != nil {
		return nil, err
	}
	return followFeed(ctx, r, at, types, func(_ context.Context, page []feed.Change) ([]item[*model.Change], error) {
		list := make([]item[*model.Change], len(page))
		for i, x := range page {
			list[i] = item[*model.Change]{x.String(), changeOf(x)}
		}
		return list, nil
	})
}

// budgetStream sends each change set that touches a plan or a portfolio's budget.
func (r *Resolver) budgetStream(ctx context.Context, plan, portfolio *ident.ID) (<-chan *model.BudgetChange, error) {
	var where func(*ent.BudgetLineQuery) *ent.BudgetLineQuery
	switch {
	case plan != nil && portfolio == nil:
		if _, err := r.client(ctx).BudgetPlan.Get(ctx, *plan); err != nil {
			return nil, err
		}
		where = func(q *ent.BudgetLineQuery) *ent.BudgetLineQuery { return q.Where(budgetline.PlanID(*plan)) }
	case portfolio != nil && plan == nil:
		if _, err := r.client(ctx).Portfolio.Get(ctx, *portfolio); err != nil {
			return nil, err
		}
		where = func(q *ent.BudgetLineQuery) *ent.BudgetLineQuery {
			return q.Where(budgetline.PortfolioID(*portfolio))
		}
	default:
		return nil, errs.Invalid("plan", "graph.plan_or_portfolio")
	}
	at, err := r.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	return followFeed(ctx, r, at, []string{"BudgetPlan", "BudgetLine", "BudgetCell"}, func(ctx context.Context, page []feed.Change) ([]item[*model.BudgetChange], error) {
		return r.budgetChanges(ctx, page, plan, where)
	})
}

// budgetChanges makes one event of the changes of a set that touch the lines that
// where keeps, or the plan.
func (r *Resolver) budgetChanges(ctx context.Context, page []feed.Change, plan *ident.ID, where func(*ent.BudgetLineQuery) *ent.BudgetLineQuery) ([]item[*model.BudgetChange], error) {
	line, err := r.linesOf(ctx, page)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	var ids []ident.ID
	for _, id := range line {
		ids = append(ids, id)
	}
	ours, err := where(r.client(ctx).BudgetLine.Query().Where(budgetline.IDIn(ids...))).IDs(ctx)
	if err != nil {
		return nil, err
	}
	var list []item[*model.BudgetChange]
	for _, x := range page {
		id := line[x.ID]
		touches := slices.Contains(ours, id)
		if !touches && (plan == nil || x.ID != *plan) {
			continue
		}
		if n := len(list); n == 0 || list[n-1].value.ChangeSet != x.ChangeSet {
			list = append(list, item[*model.BudgetChange]{value: &model.BudgetChange{At: x.At, ChangeSet: x.ChangeSet, ActorName: x.ActorName}})
		}
		last := &list[len(list)-1]
		last.id, last.value.Cursor = x.String(), placeCursor(x.Place)
		if touches && !slices.Contains(last.value.LineIDs, id) {
			last.value.LineIDs = append(last.value.LineIDs, id)
		}
	}
	return list, nil
}

// linesOf returns which line each changed line and cell belongs to.
func (r *Resolver) linesOf(ctx context.Context, page []feed.Change) (map[ident.ID]ident.ID, error) {
	line := map[ident.ID]ident.ID{}
	var cells []ident.ID
	for _, x := range page {
		switch x.Type {
		case "BudgetLine":
			line[x.ID] = x.ID
		case "BudgetCell":
			cells = append(cells, x.ID)
		}
	}
	if len(cells) == 0 {
		return line, nil
	}
	rows, err := r.client(ctx).BudgetCell.Query().Where(budgetcell.IDIn(cells...)).Select(budgetcell.FieldID, budgetcell.FieldLineID).All(ctx)
	for _, x := range rows {
		line[x.ID] = x.LineID
	}
	return line, err
}

// lines loads the lines of a budget's change as the request wants them.
func (r *Resolver) lines(ctx context.Context, x *model.BudgetChange) ([]*ent.BudgetLine, error) {
	q, err := r.client(ctx).BudgetLine.Query().Where(budgetline.IDIn(x.LineIDs...)).Order(budgetline.ByID()).CollectFields(ctx, "BudgetLine", "Node")
	if err != nil {
		return nil, err
	}
	return q.All(ctx)
}

// jobOf returns a job that the viewer asked for or looks after.
func (r *Resolver) jobOf(ctx context.Context, id ident.ID) (*ent.Job, error) {
	x, err := r.client(ctx).Job.Get(scope.Elevate(ctx), id)
	if err != nil {
		return nil, store.Known(err)
	}
	if v := viewer.From(ctx); !job.May(v) && (v.ID == "" || x.ActorID != v.ID.String()) {
		return nil, errs.NotFound()
	}
	return x, nil
}

// progress is how far a job has come.
func progress(x *ent.Job) *model.JobProgress {
	out := &model.JobProgress{ID: x.ID, Kind: x.Kind, Status: string(x.Status), Error: x.Error}
	var p job.Progress
	if b, err := json.Marshal(x.Progress); err == nil && json.Unmarshal(b, &p) == nil {
		out.Done, out.Total = p.Done, p.Total
	}
	return out
}

// jobStream sends how far a job has come whenever that changes, until it has ended.
func (r *Resolver) jobStream(ctx context.Context, id ident.ID) (<-chan *model.JobProgress, error) {
	if _, err := r.jobOf(ctx, id); err != nil {
		return nil, err
	}
	var told model.JobProgress
	return follow(ctx, r, wish{job: id}, func(ctx context.Context, _ news) ([]item[*model.JobProgress], state, error) {
		x, err := r.jobOf(ctx, id) // the hub says when; this says whether they still may
		if err != nil {
			return nil, ended, err
		}
		p, next := progress(x), idle
		if x.EndedAt != nil {
			next = ended
		}
		if *p == told {
			return nil, next, nil
		}
		told = *p
		return []item[*model.JobProgress]{{value: p}}, next, nil
	})
}

// notificationStream sends what the viewer is told: from now on, or from the one they
// had last. One that was written in the same minute may come again after that.
func (r *Resolver) notificationStream(ctx context.Context) (<-chan *model.Notification, error) {
	v := viewer.From(ctx)
	if v.Kind != viewer.Person {
		return nil, errs.Forbidden()
	}
	since, had := time.Now().UTC(), map[ident.ID]bool{}
	if from := callOf(ctx).stream.from; from != "" {
		x, err := r.client(ctx).Notification.Query().Where(notification.ID(ident.ID(from)), notification.PersonID(v.ID)).Only(scope.Elevate(ctx))
		if err != nil {
			return nil, errs.Invalid("Last-Event-ID", "error.cursor")
		}
		since, had[x.ID] = x.CreatedAt.Add(-noteWindow), true
	}
	first := true
	return follow(ctx, r, wish{person: v.ID}, func(ctx context.Context, n news) (list []item[*model.Notification], _ state, err error) {
		rows := n.notes
		if first {
			first = false
			if rows, err = r.client(ctx).Notification.Query().Where(notification.PersonID(v.ID), notification.CreatedAtGTE(since)).
				Order(notification.ByCreatedAt(), notification.ByID()).All(scope.Elevate(ctx)); err != nil {
				return nil, ended, err
			}
		}
		for _, x := range rows {
			if had[x.ID] || x.CreatedAt.Before(since) {
				continue
			}
			had[x.ID] = true
			list = append(list, item[*model.Notification]{x.ID.String(), notificationOf(ctx, x)})
		}
		return list, idle, nil
	})
}

func notificationOf(ctx context.Context, x *ent.Notification) *model.Notification {
	var args []any
	for name, v := range x.Args {
		args = append(args, name, v)
	}
	return &model.Notification{ID: x.ID, At: x.CreatedAt, Text: i18n.T(viewer.From(ctx).Lang, x.Message, args...), Href: x.Href, ReadAt: x.ReadAt}
}
