package access_test

import (
	"archive/zip"
	"io"
	"strings"
	"testing"

	"steward/internal/platform/entity"
	"steward/internal/rules/access"
)

// paths are the pages that somebody can open: the lists and forms of every entity,
// the pages of the rows, and the pages of their own.
func (w *world) paths(rows []*row) []string {
	out := []string{"/", "/me", "/admin/audit", "/admin/imports", "/admin/users", "/admin/integrations", "/explorer", "/sign-in"}
	for _, id := range w.batches {
		out = append(out, "/admin/imports/"+id.String())
	}
	for _, p := range w.people {
		if p.v != nil {
			out = append(out, "/admin/users/"+p.v.ID.String())
			break
		}
	}
	for _, e := range entity.Registry() {
		base := "/" + e.Path
		out = append(out, base, base+".csv", base+".json", base+".xlsx", base+"/options?q=", base+"/new")
	}
	for _, r := range rows {
		base := "/" + r.e.Path + "/" + r.id.String()
		out = append(out, base, base+"/edit", base+"/history", base+"/cells/name?edit=1", "/comments/"+w.remarks[r.id].String())
		if file, ok := w.files[r.id]; ok {
			at := "/attachments/" + file.String()
			out = append(out, at, at+"/remove")
		}
		switch r.e.Name {
		case "Portfolio":
			sheet := base[:len("/portfolios/")] + slug(r) + "/budget"
			out = append(out, base+"/budget", sheet, sheet+"?fy=2031", sheet+"?fy=2031&show=FORECAST", sheet+".xlsx?fy=2031&show=all", sheet+"/lines?fy=2031", sheet+"/lines/"+w.first[r.house+"/BudgetLine"].id.String())
		case "BudgetPlan":
			out = append(out, base+"/moves/SUBMITTED")
		}
		if r.key != "" {
			key := r.key
			if r.e.Name == "Portfolio" || r.e.Name == "Product" {
				key = slug(r)
			}
			out = append(out, "/"+r.e.Path+"/"+key)
		}
	}
	return out
}

// TestCanary (AZ-4, AZ-5): whoever asks whatever, no answer holds a text or an
// amount of a row or field that the permission table keeps from them.
func TestCanary(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		paths := w.paths(w.rows)
		lists := w.lists()
		found := map[string]bool{}
		for _, p := range w.people {
			reads := 0
			report := func(where string, what []string) {
				for _, x := range what {
					found[x] = true
					t.Errorf("%s finds %s at %s", p.name, x, where)
				}
			}
			for _, path := range paths {
				status, body := w.get(p.v, path)
				if status == 200 && strings.Contains(path, ".xlsx") {
					body = unpacked(t, body)
				}
				if status == 200 {
					reads++
				}
				report(path, w.leaks(p.v, plain(body, said(path)...))) // the address may be said again
				if status >= 500 {
					t.Errorf("%s: %s: %d", p.name, path, status)
				}
			}
			if p.name == string(access.RoleAuditor) && reads < len(paths)/2 {
				t.Errorf("only %d of %d pages opened for the auditor", reads, len(paths))
			}
			for name, doc := range lists {
				report(name, w.leaks(p.v, w.ask(p.v, doc).body))
			}
			for _, r := range w.rows {
				for name, doc := range w.otherQueries(r, w.first[r.house+"/Portfolio"], w.first[r.house+"/BudgetPlan"]) {
					whole := name == "viewer" || strings.HasSuffix(name, "Totals") || name == "budgetGrid" || name == "contractRenewals"
					if !whole || r.e.Name == "Portfolio" { // those do not depend on the record
						report(name+" of "+r.e.Name+" of "+r.house, w.leaks(p.v, w.ask(p.v, doc).body))
					}
				}
			}
		}
		// the crawl reaches what it should: the auditor's answers hold the secrets
		aud, met := w.of(access.RoleAuditor).v, map[string]bool{}
		for _, r := range w.rows {
			for _, doc := range []string{w.otherQueries(r, r, r)["node"]} {
				for _, m := range marks.FindAllString(strings.ToLower(separator.Replace(w.ask(aud, doc).body)), -1) {
					if s, ok := w.secrets[m]; ok {
						met[s.row.e.Name] = true
					}
				}
			}
		}
		for _, e := range entity.Registry() {
			if !met[e.Name] && len(w.secretsOf(e.Name)) > 3 { // more than reason, comment and file
				t.Errorf("the crawl as auditor met no secret of a %s", e.Name)
			}
		}
	})
}

// unpacked is what the parts of a workbook say.
func unpacked(t *testing.T, body string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range z.File {
		in, err := f.Open()
		if err == nil {
			_, err = io.Copy(&out, in)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// slug is the short name of a portfolio or product in addresses.
func slug(r *row) string { return strings.ToLower(r.key[strings.Index(r.key, "-")+1:]) }

// said are the segments of an address, which its answer may say again.
func said(path string) (out []string) {
	path, _, _ = strings.Cut(path, "?")
	for s := range strings.SplitSeq(path, "/") {
		if len(s) > 6 && marks.MatchString(strings.ToLower(s)) {
			out = append(out, s)
		}
	}
	return out
}

func (w *world) secretsOf(name string) (out []string) {
	seen := map[string]bool{}
	for _, s := range w.secrets {
		if s.row.e.Name == name && !seen[s.field] {
			seen[s.field] = true
			out = append(out, s.field)
		}
	}
	return out
}
