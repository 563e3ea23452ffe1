package web

import (
	"net/http"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/ui"
)

// options finds records for a type-ahead field by words.
func (s *site) options(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	if err := mayRead(viewer.From(ctx), e); err != nil {
		return err
	}
	words := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(words) > 200 {
		return errs.Invalid("q", "error.too_long", "max", 200)
	}
	sort, _ := e.Field(e.Sort)
	found, err := e.List(ctx, s.store.ClientOf(ctx), func(sel *sql.Selector) {
		if e.Archivable {
			sel.Where(sql.IsNull(sel.C("archived_at")))
		}
		if p := matching(sel, e, words); p != nil {
			sel.Where(p)
		}
	}, func(sel *sql.Selector) { ordered(sel, sort, false) }, 20, 0)
	if err != nil {
		return err
	}
	show := view.Show{Lang: i18n.From(ctx), Zone: i18n.Zone(ctx)}
	var out []ui.ComboOption
	for _, row := range found {
		ref := show.RefOf(e, row)
		out = append(out, ui.ComboOption{Value: row.ID.String(), Label: ref.Title, Sub: ref.Sub})
	}
	return s.part(w, r, http.StatusOK, ui.ComboOptions(out))
}
