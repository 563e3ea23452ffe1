package access_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"steward/ent"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// everybody makes one viewer of each role with the membership that fits it, all in
// ours, and those who come in otherwise.
func (w *world) everybody() {
	portfolio, product, vendor := w.first["ours/Portfolio"].id, w.first["ours/Product"].id, w.first["ours/Vendor"].id
	in := viewer.Membership{Scope: viewer.ScopePortfolio, ID: portfolio, Level: viewer.LevelManager}
	of := func(l viewer.Level) viewer.Membership {
		return viewer.Membership{Scope: viewer.ScopeProduct, ID: product, PortfolioID: portfolio, Level: l}
	}
	for _, role := range access.Roles {
		m := in
		switch role {
		case access.RoleContributor, access.RoleEngineer:
			m = of(viewer.LevelContributor)
		case access.RoleProductOwner:
			m = of(viewer.LevelOwner)
		case access.RolePartner:
			m = viewer.Membership{Scope: viewer.ScopeVendor, ID: vendor, Level: viewer.LevelPartner}
		}
		w.people = append(w.people, who{string(role), w.person(string(role), []string{string(role)}, m)})
	}
	w.people = append(w.people, who{"member without a role", w.person("roleless", nil, in)})
	bot := w.person("bot", []string{string(access.RolePortfolioManager)}, in)
	bot.Kind, bot.TokenID, bot.SessionID, bot.Via = viewer.Integration, ident.New("tok"), "", viewer.ViaAPI
	w.people = append(w.people, who{"integration", bot}, who{"nobody", nil})
}

func (w *world) person(name string, roles []string, ms ...viewer.Membership) *viewer.Viewer {
	w.t.Helper()
	var p *ent.Person
	w.do(func(ctx context.Context, c *ent.Client) (err error) {
		p, err = c.Person.Create().SetName(name).SetEmail(strings.ReplaceAll(name, " ", "-") + "@example.org").Save(ctx)
		return err
	})
	return &viewer.Viewer{Kind: viewer.Person, ID: p.ID, Name: name, Roles: roles, Memberships: ms, Via: viewer.ViaPage, Lang: "en", Zone: time.UTC, SessionID: ident.New("ses"), AuthTime: time.Now()}
}

func (w *world) of(role access.Role) who {
	i := slices.IndexFunc(w.people, func(p who) bool { return p.name == string(role) })
	return w.people[i]
}

// sees reports whether the permission table shows a row to somebody.
func sees(v *viewer.Viewer, r *row) bool {
	return access.For(v, r.e.Name, access.Read).Includes(r.place)
}

// knows reports whether somebody may know a secret: as a field of a row they see,
// or from the audit of it.
func knows(v *viewer.Viewer, s secret) bool {
	switch s.field {
	case "(comment)":
		return access.ForRecord(v, "Comment", s.row.e.Name, access.Read).Includes(s.row.place)
	case "(file)": // its name also stands in the history of the row
		return access.ForRecord(v, "Attachment", s.row.e.Name, access.Read).Includes(s.row.place) ||
			access.ForRecord(v, "ChangeEvent", s.row.e.Name, access.Read).Includes(s.row.place)
	case "(reason)":
		return access.ForRecord(v, "ChangeEvent", s.row.e.Name, access.Read).Includes(s.row.place)
	}
	if access.ForField(v, s.row.e.Name, s.field).Includes(s.row.place) {
		return true
	}
	_, protected := access.ProtectedFields[s.row.e.Name+"."+s.field]
	return !protected && access.ForRecord(v, "ChangeEvent", s.row.e.Name, access.Read).Includes(s.row.place)
}

var (
	marks     = regexp.MustCompile(`qz\d{5}q|73\d{5}`)
	separator = strings.NewReplacer(",", "", "\u00a0", "", "\u202f", "", "&nbsp;", "")
)

// leaks returns the secrets in an answer that the viewer may not know.
func (w *world) leaks(v *viewer.Viewer, body string) []string {
	var out []string
	for _, m := range marks.FindAllString(strings.ToLower(separator.Replace(body)), -1) {
		if s, ok := w.secrets[m]; ok && !knows(v, s) {
			if what := fmt.Sprintf("%s.%s of %s", s.row.e.Name, s.field, s.row.house); !slices.Contains(out, what) {
				out = append(out, what)
			}
		}
	}
	return out
}
