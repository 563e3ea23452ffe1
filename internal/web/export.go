package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/formula"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
)

// exportRows is the most rows one export takes; exportBatch is how many are read
// at once, which bounds the memory whatever the size of the answer.
const (
	exportRows  = 200_000
	exportBatch = 2_000
)

// export is a list on its way out as a file.
type export struct {
	*listing
	site *site
	ctx  context.Context
	show view.Show
	raw  bool
	n    int
}

// startExport reads the address as the list does, narrows the viewer to the roles
// that take data out, and writes to the audit what leaves before it does.
func (s *site) startExport(r *http.Request, e *entity.Entity, kind string) (*export, error) {
	v := viewer.From(r.Context())
	if err := mayRead(v, e); err != nil {
		return nil, err
	}
	if access.ForExport(v, e.Name).Empty() {
		return nil, errs.Forbidden()
	}
	r = r.WithContext(viewer.With(r.Context(), exporting(v)))
	l, err := readListing(r, e)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	n, err := e.Count(ctx, s.store.ClientOf(ctx), l.where)
	if err != nil {
		return nil, err
	}
	if n > exportRows {
		return nil, errs.New(errs.Limit, "web.export_too_large", "n", n, "max", exportRows)
	}
	err = s.store.Tx(viewer.With(ctx, v), func(ctx context.Context, _ *ent.Client) error {
		diff := map[string][2]any{"rows": {nil, n}, "format": {nil, kind}}
		if q := l.values.Encode(); q != "" {
			diff["query"] = [2]any{nil, q}
		}
		return store.Note(ctx, store.Change{Op: store.OpEvent, Entity: e.Name, Diff: diff, Reason: i18n.T(i18n.English, "web.exported", "n", n)})
	})
	return &export{listing: l, site: s, ctx: ctx, n: n, raw: kind == "json" || l.values.Get("format") == "raw"}, err
}

// exporting returns the viewer with only those roles that may take data out as a
// file: what other roles let them read stays here.
func exporting(v *viewer.Viewer) *viewer.Viewer {
	c := *v
	c.Roles = slices.DeleteFunc(slices.Clone(v.Roles), func(role string) bool {
		return !slices.ContainsFunc(access.Grants(access.Role(role), access.ResourceExport), func(g access.Grant) bool { return g.Allows(access.Read) })
	})
	return &c
}

// each calls f for every row, batch by batch.
func (x *export) each(f func(entity.Row) error) error {
	c := x.site.store.ClientOf(x.ctx)
	for done := 0; done < x.n; done += exportBatch {
		found, err := x.entity.List(x.ctx, c, x.where, x.order, min(exportBatch, x.n-done), done)
		if err != nil {
			return err
		}
		if !x.raw {
			need := wanted{}
			for _, row := range found {
				need.row(x.entity, row, x.columns)
			}
			if x.show, err = x.site.shower(x.ctx, need); err != nil {
				return err
			}
		}
		for _, row := range found {
			if err := f(row); err != nil {
				return err
			}
		}
		if len(found) < exportBatch {
			return nil
		}
	}
	return nil
}

// exportCSV sends the list as a file for spreadsheets; format=raw keeps names, ids
// and text as they are, for programs.
func (s *site) exportCSV(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	x, err := s.startExport(r, e, "csv")
	if err != nil {
		return err
	}
	download(w, e, "csv", "text/csv; charset=utf-8")
	out := bufio.NewWriter(w)
	if r.URL.Query().Get("bom") == "1" {
		_, _ = out.WriteString("\uFEFF")
	}
	cw := csv.NewWriter(out)
	cw.UseCRLF = true
	line := make([]string, 0, len(x.columns)+1)
	if x.raw {
		line = append(line, "id")
	}
	for _, f := range x.columns {
		if x.raw {
			line = append(line, f.Name)
		} else {
			line = append(line, view.Label(i18n.From(x.ctx), e, f))
		}
	}
	_ = cw.Write(line)
	err = x.each(func(row entity.Row) error {
		line = line[:0]
		if x.raw {
			line = append(line, row.ID.String())
		}
		for _, f := range x.columns {
			line = append(line, x.cell(f, row))
		}
		return cw.Write(line)
	})
	cw.Flush()
	return s.finished(r, out, err)
}

// cell is one value of a CSV file.
func (x *export) cell(f *entity.Field, row entity.Row) string {
	v := x.entity.Value(row, f.Name)
	text := entity.Text(v)
	if x.raw {
		return text
	}
	switch f.Kind {
	case "money", "decimal", "int", "bp", "date", "period", "time", "bool":
		return text
	case "ref":
		id, _ := v.(ident.ID)
		text = x.show.Refs[id].Title
	case "enum":
		text = x.show.Text(x.entity, f, v, "")
	}
	return formula.Guard(text)
}

// exportJSON sends the list as JSON with GraphQL's field names; amounts are texts,
// so that no digit is lost.
func (s *site) exportJSON(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	x, err := s.startExport(r, e, "json")
	if err != nil {
		return err
	}
	download(w, e, "json", "application/json")
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(`{"total":` + strconv.Itoa(x.n) + `,"rows":[`)
	first := true
	err = x.each(func(row entity.Row) error {
		if !first {
			_ = out.WriteByte(',')
		}
		first = false
		object := map[string]any{"id": row.ID}
		for _, f := range x.columns {
			object[f.GQL] = e.Value(row, f.Name)
		}
		b, err := json.Marshal(object)
		if err == nil {
			_, err = out.Write(b)
		}
		return err
	})
	if err == nil {
		_, _ = out.WriteString("]}\n")
	}
	return s.finished(r, out, err)
}

// finished ends an answer of which part may be on its way: after a fault the
// connection is cut, so that half a file is never taken for a whole one.
func (s *site) finished(r *http.Request, out *bufio.Writer, err error) error {
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		s.Log.ErrorContext(r.Context(), "export cut short", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func download(w http.ResponseWriter, e *entity.Entity, ext, media string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="`+e.Path+"."+ext+`"`)
}
