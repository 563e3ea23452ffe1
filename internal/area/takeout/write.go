package takeout

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/internal/platform/blob"
	"steward/internal/platform/entity"
	"steward/internal/platform/event"
	"steward/internal/platform/feed"
	"steward/internal/platform/i18n"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

const (
	// rowsAtOnce is how many rows are read at once.
	rowsAtOnce = 500
	// partSize is from how many bytes on lines are stored.
	partSize = 256 << 10
)

// mark is how far an export has come: the files that are whole, and the one that is
// being written.
type mark struct {
	Since string   `json:"since"`
	Files []whole  `json:"files,omitempty"`
	Blob  ident.ID `json:"blob,omitempty"`
	After ident.ID `json:"after,omitempty"` // the last row that is stored
	Seq   int      `json:"seq,omitempty"`   // of the next part
	Rows  int      `json:"rows,omitempty"`
}

type whole struct {
	Type   string   `json:"type"`
	Blob   ident.ID `json:"blob"`
	Rows   int      `json:"rows"`
	Size   int64    `json:"size"`
	Sha256 string   `json:"sha256"`
}

// run is one attempt at an export.
type run struct {
	job         *job.Run
	store       *store.Store
	order       order
	mark        mark
	done, total int
}

// Do is the job.
func Do(ctx context.Context, x *job.Run, s *store.Store) error {
	w := &run{job: x, store: s, done: x.Before.Done, total: x.Before.Total}
	if err := x.Input(&w.order); err != nil {
		return err
	}
	ctx = viewer.With(ctx, w.order.By.viewer(x.ID.String()))
	if x.Before.Mark != "" {
		if err := json.Unmarshal([]byte(x.Before.Mark), &w.mark); err != nil {
			return job.Permanent(err)
		}
	} else if err := w.begin(ctx); err != nil {
		return err
	}
	for len(w.mark.Files) < len(w.order.Types) {
		if err := w.file(ctx, entity.ByName(w.order.Types[len(w.mark.Files)])); err != nil {
			return err
		}
	}
	return x.Done(ctx, map[string]any{"rows": w.done, "types": len(w.mark.Files)}, func(ctx context.Context, _ *ent.Client) error {
		for _, f := range w.mark.Files {
			if err := Note(ctx, f.Type, w.order.Portfolio, f.Rows, "jsonl"); err != nil {
				return err
			}
		}
		return nil
	})
}

// Note writes into the audit, in the transaction of ctx, that rows of a type have been
// taken out.
func Note(ctx context.Context, name string, portfolio ident.ID, rows int, format string) error {
	return store.Note(ctx, event.Change(event.Exported, store.Change{Entity: name, Portfolio: portfolio,
		Reason: i18n.T(i18n.English, "takeout.exported", "n", rows)}, map[string]any{"rows": rows, "format": format}))
}

// begin counts what there is, and notes from where on changes may be missing.
func (w *run) begin(ctx context.Context) error {
	now, err := feed.Now(ctx, w.store)
	if err != nil {
		return err
	}
	w.mark.Since = now.String()
	for _, name := range w.order.Types {
		e := entity.ByName(name)
		n, err := e.Count(ctx, w.store.Client, in(e, w.order.Portfolio))
		if err != nil {
			return err
		}
		w.total += n
	}
	return w.report(ctx)
}

func (w *run) report(ctx context.Context) error {
	b, err := json.Marshal(w.mark)
	if err != nil {
		return err
	}
	return w.job.Report(ctx, job.Progress{Done: w.done, Total: max(w.total, w.done), Mark: string(b)})
}

// file writes the file of one type from where the last attempt stopped. Lines are
// stored together with the mark behind them, so none is written twice or left out.
func (w *run) file(ctx context.Context, e *entity.Entity) error {
	if w.mark.Blob == "" {
		if err := w.job.Tx(ctx, func(ctx context.Context, _ *ent.Client) (err error) {
			if w.mark.Blob, err = blob.Begin(ctx, w.store); err != nil {
				return err
			}
			return w.report(ctx)
		}); err != nil {
			return err
		}
	}
	var part bytes.Buffer
	var last ident.ID
	lines := 0
	keep := func() error {
		if lines == 0 {
			return nil
		}
		seq := w.mark.Seq
		w.mark.After, w.mark.Seq, w.mark.Rows, w.done = last, seq+1, w.mark.Rows+lines, w.done+lines
		err := w.job.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
			if err := blob.Append(ctx, w.store, w.mark.Blob, seq, part.Bytes()); err != nil {
				return err
			}
			return w.report(ctx)
		})
		part.Reset()
		lines = 0
		return err
	}
	err := Rows(ctx, w.store, e, w.order.Portfolio, w.mark.After, func(id ident.ID, line []byte) error {
		part.Write(line)
		last = id
		if lines++; part.Len() < partSize {
			return nil
		}
		return keep()
	})
	if err == nil {
		err = keep()
	}
	if err != nil {
		return err
	}
	return w.job.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		b, err := blob.Finish(ctx, w.store, w.mark.Blob)
		if err != nil {
			return err
		}
		w.mark = mark{Since: w.mark.Since, Files: append(w.mark.Files, whole{e.Name, b.ID, w.mark.Rows, b.Size, b.Sha256})}
		return w.report(ctx)
	})
}

// Fields returns the fields of a type that the viewer may see, without the id.
func Fields(ctx context.Context, e *entity.Entity) (out []*entity.Field) {
	for i := range e.Fields {
		if x := &e.Fields[i]; x.Name != "id" && x.Kind != "secret" && !store.HiddenField(ctx, e.Name, x.Name) {
			out = append(out, x)
		}
	}
	return out
}

// Each calls f for each row of a type that the viewer may read, archived ones too, in
// the order of their ids, from the one after another on.
func Each(ctx context.Context, s *store.Store, e *entity.Entity, portfolio, after ident.ID, f func(row entity.Row, links map[string][]ident.ID) error) error {
	for {
		rows, err := e.List(ctx, s.Client, func(sel *sql.Selector) {
			in(e, portfolio)(sel)
			sel.Where(sql.GT(sel.C("id"), after))
		}, func(sel *sql.Selector) { sel.OrderBy(sel.C("id")) }, rowsAtOnce, 0)
		if err != nil {
			return store.Known(err)
		}
		links, err := linked(ctx, s, e, rows)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := f(row, links[row.ID]); err != nil {
				return err
			}
			after = row.ID
		}
		if len(rows) < rowsAtOnce {
			return nil
		}
	}
}

// Rows is Each with every row as a line of JSON, in GraphQL's names.
func Rows(ctx context.Context, s *store.Store, e *entity.Entity, portfolio, after ident.ID, f func(id ident.ID, line []byte) error) error {
	fields := Fields(ctx, e)
	return Each(ctx, s, e, portfolio, after, func(row entity.Row, links map[string][]ident.ID) error {
		object := map[string]any{"id": row.ID}
		for _, x := range fields {
			object[x.GQL] = e.Value(row, x.Name)
		}
		for name, ids := range links {
			object[name] = ids
		}
		line, err := json.Marshal(object)
		if err != nil {
			return err
		}
		return f(row.ID, append(line, '\n'))
	})
}

// linked returns the ids that rows are linked with through tables of their own, by edge,
// as far as the viewer may see them.
func linked(ctx context.Context, s *store.Store, e *entity.Entity, rows []entity.Row) (map[ident.ID]map[string][]ident.ID, error) {
	out, ids := map[ident.ID]map[string][]ident.ID{}, make([]any, len(rows))
	for i, row := range rows {
		out[row.ID], ids[i] = map[string][]ident.ID{}, row.ID
	}
	for _, x := range e.Edges {
		to := entity.ByName(x.To)
		if x.Kind != entity.Link || !to.Registry || len(rows) == 0 {
			continue
		}
		for _, row := range rows {
			out[row.ID][x.Name] = []ident.ID{}
		}
		var pairs []struct {
			Row ident.ID `sql:"link_row"`
			To  ident.ID `sql:"link_to"`
		}
		t := sql.Dialect(s.Dialect).Table(x.Table).As("link")
		err := to.Sum(ctx, s.Client, func(sel *sql.Selector) {
			sel.Join(t).On(sel.C("id"), t.C(x.Columns[1]))
			sel.Where(sql.In(t.C(x.Columns[0]), ids...))
		}, func(sel *sql.Selector) {
			sel.Select().AppendSelectAs(t.C(x.Columns[0]), "link_row").AppendSelectAs(sel.C("id"), "link_to").OrderBy(sel.C("id"))
		}, &pairs)
		if err != nil {
			return nil, store.Known(err)
		}
		for _, p := range pairs {
			out[p.Row][x.Name] = append(out[p.Row][x.Name], p.To)
		}
	}
	return out, nil
}

// in narrows to one portfolio; what lies in none is kept.
func in(e *entity.Entity, portfolio ident.ID) func(*sql.Selector) {
	return func(sel *sql.Selector) {
		column := "portfolio_id"
		if e.Name == "Portfolio" {
			column = "id"
		}
		if _, ok := e.Field(column); ok && portfolio != "" {
			sel.Where(sql.EQ(sel.C(column), portfolio))
		}
	}
}

// Purge deletes the files of exports that ended before now less KeptFor, and forgets
// them, a job in each transaction. It returns how many it deleted.
func Purge(ctx context.Context, x *job.Run, s *store.Store, now time.Time) (total int, err error) {
	last := ident.ID("")
	for more := true; more; {
		err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			list, err := c.Job.Query().Where(entjob.Kind(Kind), entjob.EndedAtLT(now.Add(-KeptFor)), entjob.IDGT(last)).Order(entjob.ByID()).Limit(1).All(ctx)
			if more = err == nil && len(list) == 1; !more {
				return err
			}
			last = list[0].ID
			var m mark
			if text, ok := list[0].Progress["mark"].(string); !ok || json.Unmarshal([]byte(text), &m) != nil {
				return nil
			}
			for _, f := range append(m.Files, whole{Blob: m.Blob}) {
				if f.Blob != "" {
					if err := blob.Remove(ctx, s, f.Blob); err != nil {
						return err
					}
					total++
				}
			}
			return c.Job.UpdateOneID(last).SetProgress(map[string]any{}).Exec(ctx)
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
