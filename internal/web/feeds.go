package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"steward/internal/area/calendar"
	"steward/internal/platform/i18n"
	"steward/internal/platform/obs"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	"steward/views/ui"
)

// feedState is what a request about calendar feeds shows besides those there are.
type feedState struct {
	address string
	input   calendar.Input
	wrong   error
}

// feedsOf are the reader's calendar feeds and the form of a new one.
func (s *site) feedsOf(ctx context.Context, m feedState) (desk.Feeds, error) {
	lang := i18n.From(ctx)
	list, err := calendar.List(ctx, s.store)
	if err != nil {
		return desk.Feeds{}, err
	}
	texts := i18n.FieldTexts(lang, m.wrong)
	p := desk.Feeds{Address: m.address, Errors: i18n.Fields(lang, m.wrong),
		Name:     ui.Field{Name: "name", ID: "feed-name", Label: i18n.T(lang, "feed.name"), Value: m.input.Name, Required: true, Max: 120, Err: texts["name"]},
		Language: ui.Field{Name: "language", ID: "feed-language", Label: i18n.T(lang, "feed.language"), Value: lang}}
	for _, l := range i18n.Languages() {
		p.Language.Options = append(p.Language.Options, ui.Option{Value: l, Label: i18n.Name(l)})
	}
	for _, k := range calendar.Kinds {
		chosen := m.wrong == nil || slices.Contains(m.input.Kinds, k)
		p.Kinds = append(p.Kinds, ui.Field{Name: "kinds", Label: i18n.T(lang, "feed.kind."+k), Value: k, Checked: chosen, Err: texts["kinds"]})
	}
	for _, f := range list {
		row := desk.Feed{ID: f.ID.String(), Name: f.Name, Hint: f.Hint, Used: i18n.T(lang, "desk.never")}
		if f.LastUsedAt != nil {
			row.Used = ago(ctx, *f.LastUsedAt)
		}
		var kinds []string
		for _, k := range f.Kinds {
			kinds = append(kinds, i18n.T(lang, "feed.kind."+k))
		}
		row.Kinds = strings.Join(kinds, ", ")
		p.List = append(p.List, row)
	}
	return p, nil
}

// createFeed makes a calendar feed of the reader's own; its address is on this answer only.
func (s *site) createFeed(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Validation, "error.validation").Wrap(err)
	}
	in := calendar.Input{Name: r.PostForm.Get("name"), Kinds: r.PostForm["kinds"], Language: r.PostForm.Get("language")}
	token, _, err := calendar.Create(r.Context(), s.store, in)
	switch errs.CodeOf(err) {
	case "":
		scheme := "http://"
		if s.HTTPS {
			scheme = "https://"
		}
		return s.showProfile(w, r, http.StatusOK, me{feed: feedState{address: scheme + r.Host + "/feeds/" + token + ".ics"}})
	case errs.Validation:
		return s.showProfile(w, r, http.StatusUnprocessableEntity, me{feed: feedState{input: in, wrong: err}})
	}
	return err
}

// revokeFeed ends a calendar feed of the reader's own.
func (s *site) revokeFeed(w http.ResponseWriter, r *http.Request) error {
	if err := calendar.Revoke(r.Context(), s.store, ident.ID(r.PathValue("id"))); err != nil {
		return err
	}
	s.flash(w, "entity.done", "")
	return leave(w, r, "/me")
}

// feed answers a calendar program, which has nothing but the address, with what the person of the feed
// may see now. Logs name the beginning of the token alone.
func (s *site) feed(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	w.Header().Set("Cache-Control", "no-store")
	token, named := strings.CutSuffix(r.PathValue("file"), ".ics")
	if !named || s.Person == nil {
		return errs.NotFound()
	}
	system := viewer.NewSystem(viewer.ViaPage, "")
	system.RequestID = obs.RequestID(r.Context())
	f, err := calendar.Find(viewer.With(r.Context(), system), s.store, token)
	if err != nil {
		return err
	}
	v, err := s.Person(r.Context(), f.PersonID)
	if errs.CodeOf(err) == errs.Unauthenticated { // they are no longer active
		return errs.NotFound()
	}
	if err != nil {
		return err
	}
	about := obs.RequestFrom(r.Context())
	about.SetPerson(v.ID.String())
	about.SetVia("feed " + f.Hint)
	reader := *v
	reader.Via, reader.Lang = viewer.ViaAPI, f.Language
	today := civil.DateOf(s.Now().In(v.Zone))
	dates, err := calendar.Dates(viewer.With(r.Context(), &reader), s.store, f.Kinds, f.Language, today)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `inline; filename="steward.ics"`)
	_, _ = w.Write(calendar.File(f.Name, dates))
	return nil
}
