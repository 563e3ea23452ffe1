package access_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

func TestAddingNeverRemoves(t *testing.T) {
	levels := []viewer.Level{"", access.LevelBound, viewer.LevelViewer, viewer.LevelContributor, viewer.LevelOwner, viewer.LevelManager, viewer.LevelPartner}
	ids := func(p string) *rapid.Generator[ident.ID] {
		return rapid.Custom(func(t *rapid.T) ident.ID {
			return ident.ID(p + rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "id"))
		})
	}
	membership := rapid.Custom(func(t *rapid.T) viewer.Membership {
		m := viewer.Membership{Level: rapid.SampledFrom(levels).Draw(t, "level")}
		switch rapid.IntRange(0, 4).Draw(t, "scope") {
		case 0:
			m.Scope, m.ID = viewer.ScopePortfolio, ids("pfl_").Draw(t, "portfolio")
		case 1:
			m.Scope, m.ID, m.PortfolioID = viewer.ScopeProduct, ids("prd_").Draw(t, "product"), ids("pfl_").Draw(t, "of")
		case 2:
			m.Scope, m.ID = viewer.ScopeVendor, ids("vnd_").Draw(t, "vendor")
		case 3:
			m.Scope, m.ID = viewer.ScopeTeam, ids("tem_").Draw(t, "team")
		case 4:
			m.Scope = viewer.ScopeAll
		}
		return m
	})
	row := rapid.Custom(func(t *rapid.T) access.Row {
		return access.Row{Portfolio: ids("pfl_").Draw(t, "p"), Product: ids("prd_").Draw(t, "t"), Vendor: ids("vnd_").Draw(t, "v"), ID: ids("x_").Draw(t, "id"), Person: ids("per_").Draw(t, "s")}
	})
	rapid.Check(t, func(t *rapid.T) {
		v := person(rapid.SliceOfN(rapid.SampledFrom(access.Roles), 0, 4).Draw(t, "roles"), rapid.SliceOfN(membership, 0, 4).Draw(t, "memberships")...)
		v.ID, v.Kind = ids("per_").Draw(t, "me"), rapid.SampledFrom([]viewer.Kind{viewer.Person, viewer.Integration}).Draw(t, "kind")
		more, token := *v, *v
		if rapid.Bool().Draw(t, "role or membership") {
			more.Roles = append(slices.Clone(v.Roles), string(rapid.SampledFrom(access.Roles).Draw(t, "role")))
		} else {
			more.Memberships = append(slices.Clone(v.Memberships), membership.Draw(t, "membership"))
		}
		token.TokenID = "tok_x"
		entity, l, one := rapid.SampledFrom(access.Names()).Draw(t, "entity"), rapid.SampledFrom(access.Letters).Draw(t, "letter"), row.Draw(t, "row")
		asks := map[string]func(*viewer.Viewer) access.Reach{
			"For":       func(v *viewer.Viewer) access.Reach { return access.For(v, entity, l) },
			"ForRecord": func(v *viewer.Viewer) access.Reach { return access.ForRecord(v, "Comment", entity, l) },
			"ForField":  func(v *viewer.Viewer) access.Reach { return access.ForField(v, "Contract", "value") },
			"ForExport": func(v *viewer.Viewer) access.Reach { return access.ForExport(v, entity) },
		}
		for name, ask := range asks {
			has := ask(v).Includes(one)
			if has && !ask(&more).Includes(one) {
				t.Fatalf("%s: more rights reach less: %+v, then %+v", name, ask(v), ask(&more))
			}
			if !has && ask(&token).Includes(one) {
				t.Fatalf("%s: the token reaches more than its holder: %+v, holder %+v", name, ask(&token), ask(v))
			}
		}
		if read := access.For(v, entity, access.Read); access.For(v, entity, l).Includes(one) && !read.Includes(one) {
			t.Fatalf("%s without r: %+v", l, read)
		}
		if access.ForExport(v, entity).Includes(one) && !access.For(v, entity, access.Read).Includes(one) {
			t.Fatal("exports more than is read")
		}
		if access.ForField(v, entity, "value").Includes(one) && !access.For(v, entity, access.Read).Includes(one) {
			t.Fatal("sees a field of a row that is not read")
		}
	})
}
