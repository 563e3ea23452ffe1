package web

import (
	"net/http"

	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
	"steward/views/explorer"
)

// explorer is the page on which staff try GraphQL queries as themselves. The API describes itself to staff
// only, so for everybody else the page is not there.
func (s *site) explorer(w http.ResponseWriter, r *http.Request) error {
	v := viewer.From(r.Context())
	if len(v.Roles) == 0 || v.Has(string(access.RolePartner)) {
		return errs.NotFound()
	}
	p := s.frame(r, i18n.C(r.Context(), "explorer.title"))
	p.Wide, p.Scripts = true, append(p.Scripts, explorer.Script)
	return s.show(w, r, http.StatusOK, p, explorer.Page("/graphql"))
}
