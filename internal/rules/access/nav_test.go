package access_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"steward/internal/rules/access"
	"steward/internal/rules/viewer"
)

func TestNav(t *testing.T) {
	keys := func(v *viewer.Viewer) string {
		var s []string
		for _, n := range access.Nav(v) {
			s = append(s, n.Key)
		}
		return strings.Join(s, " ")
	}
	cases := []struct {
		v    *viewer.Viewer
		want string
	}{
		{person(nil), "home"},
		{as(access.RolePartner, vendor(viewer.LevelPartner)), "home contracts vendors environments"},
		{as(access.RolePortfolioManager, portfolio(viewer.LevelManager)), "home portfolios products initiatives objectives budget procurements contracts vendors environments clients teams components periods imports members"},
		{as(access.RoleAppAdmin), "home portfolios products vendors clients teams components audit integrations webhooks members settings jobs"},
		{as(access.RoleAuditor), "home portfolios products initiatives objectives budget procurements contracts vendors environments clients teams components audit integrations webhooks members"},
		{as(access.RoleFinanceOfficer), "home portfolios products initiatives budget procurements contracts vendors environments clients teams components periods imports"},
	}
	for _, c := range cases {
		if got := keys(c.v); got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.v.Roles, got, c.want)
		}
	}
	types := schemaTypes(t)
	for _, n := range access.NavItems {
		if n.Entity == "" || strings.HasPrefix(n.Path, "/admin/") {
			continue
		}
		if src := types[n.Entity]; !strings.Contains(src, `"`+strings.TrimPrefix(n.Path, "/")+`"`) || !strings.Contains(src, `"`+n.Icon+`"`) {
			t.Errorf("%s: path %s and icon %s are not those of %s", n.Key, n.Path, n.Icon, n.Entity)
		}
	}
}

func TestWords(t *testing.T) {
	var want []string
	for _, r := range access.Roles {
		want = append(want, r.Label(), r.About())
	}
	for _, n := range access.NavItems {
		want = append(want, n.Label())
		if n.Section != access.SectionTop {
			want = append(want, "nav.section."+n.Section)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	for _, lang := range []string{"en", "fr"} {
		src, err := os.ReadFile("../../platform/i18n/locales/access." + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		words := map[string]string{}
		if err := json.Unmarshal(src, &words); err != nil {
			t.Fatal(err)
		}
		for _, k := range want {
			if words[k] == "" {
				t.Errorf("%s: no words for %s", lang, k)
			}
			delete(words, k)
		}
		for k := range words {
			t.Errorf("%s: nobody uses %s", lang, k)
		}
	}
}

func TestParseRole(t *testing.T) {
	if r, ok := access.ParseRole("portfolio-manager"); !ok || r != access.RolePortfolioManager {
		t.Error("a known role was not recognised")
	}
	for _, s := range []string{"", "Portfolio-Manager", "offline_access", "uma_authorization"} {
		if _, ok := access.ParseRole(s); ok {
			t.Errorf("%q is no role of Steward", s)
		}
	}
	if len(access.Roles) != 16 {
		t.Errorf("%d roles", len(access.Roles))
	}
}
