package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"steward/internal/area/custom"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// conflict answers a write based on an older version: what it was, what somebody
// else made of it, and what was typed. Fields that were typed as they had been are
// not mine, so keeping mine leaves them as the other person wrote them.
func (s *site) conflict(w http.ResponseWriter, r *http.Request, e *entity.Entity, row entity.Row, t typed, wrong *errs.Error) error {
	ctx := r.Context()
	lang := i18n.From(ctx)
	now, err := s.find(ctx, e, row.ID.String())
	if err != nil {
		return err
	}
	before, err := s.asOf(ctx, e, now, formVersion(r))
	if err != nil {
		return err
	}
	need := wanted{}
	fields := formFields(viewer.From(ctx), e, false)
	for _, values := range []entity.Row{now, before} {
		need.row(e, values, fields)
	}
	for _, value := range t.values {
		if id, ok := value.(ident.ID); ok {
			need.add(id)
		}
	}
	show, err := s.shower(ctx, need)
	if err != nil {
		return err
	}
	if show.Own, err = ownOf(ctx, e); err != nil {
		return err
	}
	fields = append(fields, show.Own.Columns(true)...)
	currency := show.Currency(e, now)
	version, _ := e.Value(now, "version").(int)
	c := ui.ConflictProps{ID: "conflict", Action: view.Href(e, now), Reload: view.Href(e, now) + "/edit", Mine: [][2]string{{"version", strconv.Itoa(version)}}}
	for _, f := range fields {
		value, sent := t.values[f.Name]
		text := func(v any) string { return show.Text(e, f, plain(f, v), currency) }
		was, is := text(show.Value(e, f, before)), text(show.Value(e, f, now))
		if view.IsOwn(f) {
			value = show.Own.Typed(f.Name, value)
		}
		mine := text(value)
		if !sent {
			mine = is
		}
		if mine != was && sent {
			c.Mine = append(c.Mine, [2]string{f.Name, t.text[f.Name]})
		} else {
			mine = is
		}
		if was != is || mine != is {
			c.Rows = append(c.Rows, ui.ConflictRow{Field: show.Label(e, f), Before: was, Theirs: is, Mine: mine})
		}
	}
	c.By, c.At = conflictArgs(ctx, wrong)
	if fragment(r) {
		return s.part(w, r, http.StatusConflict, ui.Conflict(c))
	}
	title := show.Title(e, now)
	return s.show(w, r, http.StatusConflict, s.frame(r, title, layout.Crumb{Label: view.Name(lang, e, 2), Href: "/" + e.Path}, layout.Crumb{Label: title, Href: view.Href(e, now)}), view.ConflictPage(title, c))
}

// conflictArgs are who was faster, and when, in the reader's words.
func conflictArgs(ctx context.Context, wrong *errs.Error) (who, when string) {
	for i := 0; i+1 < len(wrong.Args); i += 2 {
		switch wrong.Args[i] {
		case "who":
			who = fmt.Sprint(wrong.Args[i+1])
		case "when":
			when = ago(ctx, wrong.Args[i+1])
		}
	}
	if who == "" {
		who = i18n.C(ctx, "entity.somebody")
	}
	return who, when
}

// asOf returns the row as it was at a version: what the history says each field
// was before the first change after it.
func (s *site) asOf(ctx context.Context, e *entity.Entity, now entity.Row, version int) (entity.Row, error) {
	before := entity.Row{ID: now.ID, Values: slices.Clone(now.Values)}
	changes, err := s.store.History(ctx, now.ID, 100, 0) // newest first
	if err != nil {
		return before, err
	}
	for _, change := range changes {
		if change.EntityVersion <= version {
			break
		}
		for name, d := range change.Diff {
			if code, own := strings.CutPrefix(name, rules.Prefix); own {
				values := map[string]any{}
				maps.Copy(values, custom.Values(e, before))
				values[code] = d[0]
				before.Values[e.Index("custom")] = values
				continue
			}
			f, ok := e.Field(name)
			if !ok {
				continue
			}
			if before.Values[e.Index(name)], err = f.FromJSON(d[0]); err != nil || d[0] == nil {
				before.Values[e.Index(name)] = nil
			}
			if f.Kind == "enum" && d[0] != nil {
				before.Values[e.Index(name)] = fmt.Sprint(d[0])
			}
		}
	}
	return before, nil
}
