package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"steward/ent"
	"steward/internal/area/people"
	"steward/internal/platform/auth"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	"steward/views/layout"
	"steward/views/ui"
)

// zones are the time zones offered; a person may have another one all the same.
var zones = []string{
	"America/Vancouver", "America/Whitehorse", "America/Edmonton", "America/Regina", "America/Winnipeg", "America/Toronto",
	"America/Halifax", "America/St_Johns", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
	"UTC", "Europe/London", "Europe/Paris", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney",
}

// me is what a request about oneself shows besides what is stored.
type me struct {
	secret string
	input  auth.TokenInput
	wrong  error
	feed   feedState
}

// profile is the page of the reader's own settings, sessions and tokens.
func (s *site) profile(w http.ResponseWriter, r *http.Request) error {
	return s.showProfile(w, r, http.StatusOK, me{})
}

func (s *site) showProfile(w http.ResponseWriter, r *http.Request, status int, m me) error {
	ctx := r.Context()
	v, lang := viewer.From(ctx), i18n.From(ctx)
	p, err := people.Own(ctx, s.store)
	if err != nil {
		return err
	}
	page := desk.Me{ID: p.ID.String(), Name: p.Name, Email: p.Email, Secret: m.secret}
	for _, role := range v.Roles {
		if _, ok := access.ParseRole(role); ok {
			page.Roles = append(page.Roles, i18n.T(lang, "role."+role))
		}
	}
	page.Profile.Version = p.Version
	language := ui.Field{Name: "language", Label: i18n.T(lang, "field.language"), Options: []ui.Option{{Label: i18n.T(lang, "desk.browser_language")}}}
	if p.Language != nil {
		language.Value = p.Language.String()
	}
	for _, l := range i18n.Languages() {
		language.Options = append(language.Options, ui.Option{Value: l, Label: i18n.Name(l)})
	}
	zone := ui.Field{Name: "time_zone", Label: i18n.T(lang, "field.time_zone"), Value: p.TimeZone}
	for _, z := range zones {
		zone.Options = append(zone.Options, ui.Option{Value: z, Label: strings.ReplaceAll(z, "_", " ")})
	}
	if !slices.Contains(zones, p.TimeZone) {
		zone.Options = append(zone.Options, ui.Option{Value: p.TimeZone, Label: p.TimeZone})
	}
	page.Profile.Fields = []ui.Field{language, zone}
	sessions, err := people.Sessions(ctx, s.store, v.ID)
	if err != nil {
		return err
	}
	for _, x := range sessions {
		page.Sessions = append(page.Sessions, desk.Session{ID: x.ID.String(), Where: agentName(x.UserAgent), Address: x.Address,
			Since: i18n.Time(lang, x.CreatedAt, i18n.Zone(ctx)), Seen: ago(ctx, x.LastSeenAt), Current: x.ID == v.SessionID})
	}
	tokens, err := people.Tokens(ctx, s.store, v.ID)
	if err != nil {
		return err
	}
	portfolios, err := s.portfolios(ctx)
	if err != nil {
		return err
	}
	page.Tokens = s.tokenRows(ctx, tokens, portfolios)
	page.New = tokenForm(ctx, "/me/tokens", v.Roles, portfolios, m.input, m.wrong)
	if page.Feeds, err = s.feedsOf(ctx, m.feed); err != nil {
		return err
	}
	return s.show(w, r, status, s.frame(r, i18n.T(lang, "web.me"), layout.Crumb{Label: i18n.T(lang, "web.me")}), desk.MePage(page))
}

// agentName names a browser by its header, as much as it says.
func agentName(agent string) string {
	for _, name := range []string{"Edg", "Firefox", "Chrome", "Safari"} {
		if strings.Contains(agent, name+"/") {
			return strings.Replace(name, "Edg", "Edge", 1)
		}
	}
	if len(agent) > 40 {
		return agent[:40]
	}
	return agent
}

// named is a portfolio in a list of choices.
type named struct {
	ID   ident.ID
	Name string
}

func (s *site) portfolios(ctx context.Context) ([]named, error) {
	e := entity.ByName("Portfolio")
	if !access.May(viewer.From(ctx), e.Name, access.Read) {
		return nil, nil
	}
	sort, _ := e.Field(e.Sort)
	found, err := e.List(ctx, s.store.ClientOf(ctx), unarchived, orderBy(sort), 200, 0)
	var out []named
	for _, row := range found {
		name, _ := e.Value(row, "name").(string)
		out = append(out, named{row.ID, name})
	}
	return out, err
}

func (s *site) tokenRows(ctx context.Context, list []*ent.ApiToken, portfolios []named) []desk.Token {
	lang := i18n.From(ctx)
	var out []desk.Token
	for _, t := range list {
		row := desk.Token{ID: t.ID.String(), Name: t.Name, Hint: t.Hint, Used: i18n.T(lang, "desk.never"), Expires: i18n.Time(lang, t.ExpiresAt, i18n.Zone(ctx))}
		var roles, places []string
		for _, role := range t.Roles {
			roles = append(roles, i18n.T(lang, "role."+role))
		}
		for _, p := range portfolios {
			if slices.Contains(t.Portfolios, p.ID.String()) {
				places = append(places, p.Name)
			}
		}
		if t.AllPortfolios {
			places = []string{i18n.T(lang, "desk.all_portfolios")}
		}
		row.Roles, row.Portfolios = strings.Join(roles, ", "), strings.Join(places, ", ")
		if t.LastUsedAt != nil {
			row.Used = ago(ctx, *t.LastUsedAt)
		}
		switch {
		case t.RevokedAt != nil:
			row.Ended = i18n.T(lang, "desk.revoked")
		case t.ExpiresAt.Before(s.Now()):
			row.Ended = i18n.T(lang, "desk.expired")
		}
		if i := t.Edges.Integration; i != nil {
			row.Owner = i.Name
		} else if p := t.Edges.Person; p != nil {
			row.Owner = p.Name
		}
		out = append(out, row)
	}
	return out
}

// tokenForm is the form of a new token with what was typed and what was wrong.
func tokenForm(ctx context.Context, action string, roles []string, portfolios []named, in auth.TokenInput, wrong error) desk.TokenForm {
	lang := i18n.From(ctx)
	texts := i18n.FieldTexts(lang, wrong)
	f := desk.TokenForm{Action: action, Errors: i18n.Fields(lang, wrong)}
	if wrong != nil && len(f.Errors) == 0 {
		f.Failure = i18n.Error(lang, wrong)
	}
	days := in.Days
	if days == 0 {
		days = auth.TokenDays
	}
	f.Fields = []ui.Field{
		{Name: "name", Label: i18n.T(lang, "desk.token_name"), Value: in.Name, Required: true, Max: 120, Err: texts["name"]},
		{Name: "days", Label: i18n.T(lang, "desk.token_days"), Value: strconv.Itoa(days), Required: true, Max: 2, Err: texts["days"]},
	}
	for _, role := range roles {
		if _, ok := access.ParseRole(role); ok {
			f.Roles = append(f.Roles, ui.Field{Name: "roles", Label: i18n.T(lang, "role."+role), Value: role, Checked: slices.Contains(in.Roles, role)})
		}
	}
	f.Portfolios = append(f.Portfolios, ui.Field{Name: "portfolios", Label: i18n.T(lang, "desk.all_portfolios"), Value: "*", Checked: in.AllPortfolios})
	for _, p := range portfolios {
		f.Portfolios = append(f.Portfolios, ui.Field{Name: "portfolios", Label: p.Name, Value: p.ID.String(), Checked: slices.Contains(in.Portfolios, p.ID)})
	}
	return f
}

// tokenInput reads the form of a new token.
func tokenInput(r *http.Request) (auth.TokenInput, error) {
	if err := r.ParseForm(); err != nil {
		return auth.TokenInput{}, errs.New(errs.Validation, "error.validation").Wrap(err)
	}
	in := auth.TokenInput{Name: strings.TrimSpace(r.PostForm.Get("name")), Roles: r.PostForm["roles"]}
	for _, p := range r.PostForm["portfolios"] {
		if p == "*" {
			in.AllPortfolios = true
		} else {
			in.Portfolios = append(in.Portfolios, ident.ID(p))
		}
	}
	var err error
	if in.Days, err = strconv.Atoi(r.PostForm.Get("days")); err != nil {
		return in, errs.Invalid("days", "error.not_whole", "value", r.PostForm.Get("days"))
	}
	if in.Name == "" {
		return in, errs.Invalid("name", "error.required")
	}
	return in, nil
}

// saveProfile keeps the reader's language and time zone, and the language in the
// cookie too, which is what the switch in the top bar sets.
func (s *site) saveProfile(w http.ResponseWriter, r *http.Request) error {
	in := people.Profile{Language: r.PostFormValue("language"), TimeZone: r.PostFormValue("time_zone"), Version: formVersion(r)}
	if err := people.SaveProfile(r.Context(), s.store, in); err != nil {
		return err
	}
	c := &http.Cookie{Name: "lang", Value: in.Language, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: s.HTTPS, SameSite: http.SameSiteLaxMode}
	if in.Language == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
	s.flash(w, "entity.saved", "")
	return leave(w, r, "/me")
}

// endSession ends one of the reader's own sessions.
func (s *site) endSession(w http.ResponseWriter, r *http.Request) error {
	v := viewer.From(r.Context())
	n, err := people.EndSessions(r.Context(), s.store, v.ID, ident.ID(r.PathValue("id")))
	if err == nil && n == 0 {
		err = errs.NotFound()
	}
	if err != nil {
		return err
	}
	s.flash(w, "entity.done", "")
	return leave(w, r, "/me")
}

// createToken makes a token of the reader's own; its secret is on this answer only.
func (s *site) createToken(w http.ResponseWriter, r *http.Request) error {
	in, err := tokenInput(r)
	in.Person = viewer.From(r.Context()).ID
	secret := ""
	if err == nil {
		secret, _, err = people.CreateToken(r.Context(), s.store, in)
	}
	switch errs.CodeOf(err) {
	case "":
		return s.showProfile(w, r, http.StatusOK, me{secret: secret})
	case errs.Validation:
		return s.showProfile(w, r, http.StatusUnprocessableEntity, me{input: in, wrong: err})
	}
	return err
}

// revokeToken ends a token of the reader's own.
func (s *site) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := people.RevokeToken(r.Context(), s.store, ident.ID(r.PathValue("id"))); err != nil {
		return err
	}
	s.flash(w, "entity.done", "")
	return leave(w, r, "/me")
}
