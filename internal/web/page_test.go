package web_test

import (
	"net/http"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"

	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/viewer"
)

// Every page of every entity, for people of very different rights: it is drawn
// when the access table gives the entity, and is not there when it does not.
func TestEveryPage(t *testing.T) {
	each(t, func(w *world) {
		for _, v := range []*viewer.Viewer{w.pia, w.aud, w.vic, w.pat} {
			for _, e := range entity.Registry() {
				status := http.StatusNotFound
				if access.May(v, e.Name, access.Read) {
					status = http.StatusOK
				}
				a := w.get(v, "/"+e.Path).want(status)
				a.page().WantHouseRules()
				form := w.get(v, "/"+e.Path+"/new")
				if may := access.May(v, e.Name, access.Write) && !e.ReadOnly; (form.StatusCode == 200) != may {
					w.t.Errorf("%s: the form of %s answers %d", v.Name, e.Name, form.StatusCode)
				}
				form.page().WantHouseRules()
			}
		}
		for _, path := range []string{
			"/", "/me", "/portfolios/cc", "/products/forms", "/products/" + w.product.ID.String(), "/contracts/" + w.contract.Key, "/contracts/" + strings.ToLower(w.contract.Key),
			"/budget-plans/" + w.plan.Key, "/budget-lines/" + w.line.ID.String(), "/procurements/" + w.procurement.Key, "/vendors/" + w.vendor.Key,
			"/contracts/" + w.contract.Key + "/history", "/contracts/" + w.contract.Key + "/edit", "/components/" + w.component.Key,
		} {
			w.get(w.pia, path).want(200).page().WantHouseRules()
		}
		for _, path := range []string{"/admin/audit", "/admin/users", "/admin/users/" + w.pia.ID.String(), "/admin/integrations", "/admin/imports", "/me", "/"} {
			a := w.get(w.ada, path)
			if a.StatusCode != 200 && a.StatusCode != 404 {
				w.t.Errorf("%s: %d\n%s", path, a.StatusCode, a.body)
			}
			a.page().WantHouseRules()
		}
	})
}

func anywhere(*sql.Selector) {}
