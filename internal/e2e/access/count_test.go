package access_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/viewer"
)

// TestCountsAgree (AZ-3): for everybody and every entity the total, the rows paged
// one by one, what the table shows and the rows of the export are the same rows.
func TestCountsAgree(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		for range 2 {
			for house := range strings.FieldsSeq(houses) {
				for _, e := range order() {
					if e.Name != "Portfolio" && e.Name != "CustomField" {
						w.fill(house, e)
					}
				}
			}
		}
		lists := w.listNames()
		for _, p := range w.people {
			if p.v == nil {
				continue
			}
			for _, e := range entity.Registry() {
				list := lists[e.Name]
				want := 0
				for _, r := range w.rows {
					if r.e == e && sees(p.v, r) {
						want++
					}
				}
				total, ids := w.paged(p.v, list)
				if total != len(ids) {
					t.Errorf("%s, %s: total %d, paged %d", p.name, list, total, len(ids))
				}
				if e.Name == "Person" {
					want = total // the viewers are people too
				}
				if total != want {
					t.Errorf("%s, %s: total %d, the table shows %d", p.name, list, total, want)
				}
				if p.v.Kind != viewer.Person || access.ForExport(p.v, e.Name).Empty() {
					if status, _ := w.get(p.v, "/"+e.Path+".csv"); status == 200 {
						t.Errorf("%s exports %s", p.name, e.Plural)
					}
					continue
				}
				status, body := w.get(p.v, "/"+e.Path+".csv?format=raw")
				records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
				if status != 200 || err != nil || len(records)-1 != total {
					t.Errorf("%s, %s: %d, %d rows of %d, %v", p.name, e.Path+".csv", status, len(records)-1, total, err)
				}
			}
		}
	})
}

// paged reads a list two rows at a time.
func (w *world) paged(v *viewer.Viewer, list string) (total int, ids []string) {
	w.t.Helper()
	after := ""
	for range 100 {
		a := w.ask(v, fmt.Sprintf("{list: %s(first: 2%s) {totalCount pageInfo {hasNextPage endCursor} edges {node {id}}}}", list, after))
		page, ok := a.Data["list"].(map[string]any)
		if !ok {
			w.t.Fatalf("%s: %s", list, a.body)
		}
		n, _ := page["totalCount"].(float64)
		total = int(n)
		for _, x := range page["edges"].([]any) {
			ids = append(ids, x.(map[string]any)["node"].(map[string]any)["id"].(string))
		}
		info := page["pageInfo"].(map[string]any)
		if info["hasNextPage"] != true {
			break
		}
		after = fmt.Sprintf(", after: %q", info["endCursor"])
	}
	return total, ids
}
