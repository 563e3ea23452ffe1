package access_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/viewer"
)

// probe values: the hidden rows hold low ones first and high ones later, and every
// filter asks for what lies between or for the very values.
var low, high = map[string]string{"text": "aaa low", "money": "100", "decimal": "100", "int": "1"}, map[string]string{"text": "zzz high", "money": "900000", "decimal": "9000", "int": "9"}

// disguise gives the hidden rows other values in every field that can be changed.
func (w *world) disguise(v *viewer.Viewer, values map[string]string) {
	w.t.Helper()
	w.do(func(ctx context.Context, c *ent.Client) error {
		for _, r := range w.rows {
			if sees(v, r) {
				continue
			}
			change, n := r.e.Edit(c, r.id, 0), 0
			for i := range r.e.Fields {
				f := &r.e.Fields[i]
				kind := f.Kind
				if kind == "line" {
					kind = "text"
				}
				text := values[kind]
				if !f.Updatable || text == "" || f.Immutable || f.Name == "baseline" || len(text) > f.Size && f.Size > 0 { // a target differs from its baseline
					continue
				}
				if kind == "text" && r.house == "ours" { // names are unique
					text += "2"
				}
				value, err := f.Parse(text, "")
				if err == nil {
					err = change.Mutation.SetField(f.Name, value)
				}
				if err != nil {
					return fmt.Errorf("%s.%s: %w", r.e.Name, f.Name, err)
				}
				n++
			}
			if n == 0 {
				continue
			}
			if _, err := change.Save(ctx); err != nil {
				return fmt.Errorf("%s: %w", r.e.Name, err)
			}
		}
		return nil
	})
}

// filters are the documents that ask a list by each field of its filter and each of
// its orders; edges are asked for the hidden values on their far side.
func (w *world) filters(list, of string) []string {
	var out []string
	ask := func(args string) {
		out = append(out, fmt.Sprintf("{%s(first: 100, %s) {totalCount edges {node {id}}}}", list, args))
	}
	where := of + "WhereInput"
	if w.schema.Types[where] != nil {
		for _, c := range w.conditions(where, 2) {
			ask("where: {" + c + "}")
			if !strings.HasPrefix(c, "has") {
				ask("where: {not: {" + c + "}}")
			}
		}
	}
	if o := w.schema.Types[of+"OrderField"]; o != nil {
		for _, x := range o.EnumValues {
			ask("orderBy: [{field: " + x.Name + ", direction: ASC}]")
			ask("orderBy: [{field: " + x.Name + ", direction: DESC}]")
		}
	}
	return out
}

// conditions are the filters of an input that a hidden value could satisfy.
func (w *world) conditions(input string, depth int) []string {
	var out []string
	for _, f := range w.schema.Types[input].Fields {
		base := f.Name
		switch name := f.Type.Name(); {
		case slices.Contains([]string{"and", "or", "not"}, f.Name):
		case strings.HasSuffix(name, "WhereInput"):
			if depth > 0 {
				for _, c := range w.conditions(name, depth-1) {
					if depth == 1 || slices.ContainsFunc([]string{"name", "value", "price", "ceiling", "planned", "amount", "estimate", "has"}, func(s string) bool { return strings.HasPrefix(c, s) }) {
						out = append(out, f.Name+": [{"+c+"}]")
					}
				}
			}
		case f.Type.Elem != nil:
			if name == "String" {
				out = append(out, base+`: ["zzz high"]`)
			} else if name == "Money" {
				out = append(out, base+`: ["900000"]`)
			}
		case name == "String" && strings.HasSuffix(f.Name, "IsNil") || name == "Boolean":
			out = append(out, base+": true")
		case name == "String":
			value := "zzz"
			if !strings.Contains(f.Name, "Contains") && !strings.Contains(f.Name, "Has") {
				value = "zzz high"
			}
			if strings.HasSuffix(f.Name, "GT") || strings.HasSuffix(f.Name, "GTE") || strings.HasSuffix(f.Name, "LT") || strings.HasSuffix(f.Name, "LTE") {
				value = "zz"
			}
			out = append(out, base+": "+fmt.Sprintf("%q", value))
		case name == "Money", name == "Decimal":
			out = append(out, base+`: "5000"`, base+`: "900000"`)
		case name == "Int":
			out = append(out, base+": 5", base+": 9")
		}
	}
	return out
}

// TestOracle (AZ-7, AZ-8): the values of hidden rows change from one end of the scale
// to the other, and no filter, order, search, total or page answers otherwise than
// before. What cannot be told apart cannot be searched for.
func TestOracle(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		for _, role := range []access.Role{access.RolePortfolioManager, access.RoleContributor, access.RolePartner} {
			p := w.of(role)
			w.disguise(p.v, low)
			asked, before := w.answers(p.v)
			w.disguise(p.v, high)
			_, after := w.answers(p.v)
			for i, q := range asked {
				if before[i] != after[i] {
					t.Errorf("%s learns of hidden values by %s", p.name, q)
				}
			}
			if len(asked) < 500 {
				t.Errorf("%s: only %d questions", p.name, len(asked))
			}
		}
		// the questions can tell: for the auditor, who sees all, answers differ
		pm, aud := w.of(access.RolePortfolioManager).v, w.of(access.RoleAuditor).v
		w.disguise(pm, low)
		asked, before := w.answers(aud)
		w.disguise(pm, high)
		_, after := w.answers(aud)
		told := 0
		for i := range asked {
			if before[i] != after[i] {
				told++
			}
		}
		if told < 100 {
			t.Errorf("only %d of %d questions tell the auditor anything", told, len(asked))
		}
	})
}

// answers asks everything and returns what was asked with what came back.
func (w *world) answers(v *viewer.Viewer) (asked, out []string) {
	lists := w.listNames()
	for _, e := range entity.Registry() {
		for _, doc := range w.filters(lists[e.Name], e.Name) {
			asked, out = append(asked, doc), append(out, plain(w.ask(v, doc).body))
		}
		for _, q := range webQueries(e) {
			_, body := w.get(v, "/"+e.Path+"?"+q)
			asked, out = append(asked, "/"+e.Path+"?"+q), append(out, plain(body))
		}
	}
	ours := w.first["ours/Portfolio"]
	others := w.otherQueries(ours, ours, w.first["ours/BudgetPlan"])
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if name == "changes" { // where the feed has come to moves with what others do: that there was something, not what
			others[name] = strings.ReplaceAll(others[name], "endCursor", "")
		}
		if name != "comments" && name != "history" {
			asked, out = append(asked, name), append(out, settled(w.ask(v, others[name]).body))
		}
	}
	return asked, out
}

// settled is an answer whose parts stand in one order: the fields of a query run
// side by side, and so do their errors.
func settled(body string) string {
	return strings.Join(slices.Sorted(strings.SplitSeq(strings.NewReplacer("}", "", "]", "", ",", "").Replace(plain(body)), "{")), "{")
}

// webQueries narrow and order the list of pages by every field.
func webQueries(e *entity.Entity) []string {
	out := []string{"q=zzz", "q=zzz+high"}
	for _, f := range e.Fields {
		out = append(out, "sort="+f.Name, "sort=-"+f.Name)
		switch f.Kind {
		case "money", "decimal", "int":
			out = append(out, "f."+f.Name+".gte=5000", "f."+f.Name+"="+url.QueryEscape(high[f.Kind]))
		}
	}
	return out
}

// TestProtectedFields (AZ-5): who may not see a field cannot filter by it, sort by it,
// take it as a column or write it, near or through an edge.
func TestProtectedFields(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		lists := w.listNames()
		tried := 0
		for _, p := range w.people {
			if p.v == nil {
				continue
			}
			for of, fields := range w.protected() {
				e := entity.ByName(of)
				for column, gql := range fields {
					if !access.FieldHidden(p.v, of, column) {
						continue
					}
					for _, q := range []string{"sort=" + column, "sort=-" + column, "cols=" + column, "f." + column + ".gte=1", "f." + column + "=1", "f." + column + ".none=1"} {
						for _, end := range []string{"", ".csv", ".json"} {
							if status, _ := w.get(p.v, "/"+e.Path+end+"?"+q); status < 400 {
								t.Errorf("%s: /%s%s?%s: %d", p.name, e.Path, end, q, status)
							}
						}
					}
					for type_, list := range lists {
						for _, c := range w.through(type_+"WhereInput", of+"WhereInput", gql, 3) {
							tried++
							a := w.ask(p.v, fmt.Sprintf("{%s(first: 1, where: {%s}) {totalCount}}", list, c))
							if len(a.Errors) == 0 || a.Errors[0].Extensions.Code != forbidden {
								t.Errorf("%s: %s where %s: %.200s", p.name, list, c, a.body)
							}
						}
					}
					if o := w.schema.Types[of+"OrderField"]; o != nil {
						for _, x := range o.EnumValues {
							if strings.EqualFold(x.Name, column) {
								a := w.ask(p.v, fmt.Sprintf("{%s(first: 1, orderBy: [{field: %s}]) {totalCount}}", lists[of], x.Name))
								if len(a.Errors) == 0 || a.Errors[0].Extensions.Code != forbidden {
									t.Errorf("%s: %s by %s: %.200s", p.name, lists[of], x.Name, a.body)
								}
							}
						}
					}
				}
			}
		}
		if tried < 50 {
			t.Errorf("only %d filters by protected fields", tried)
		}
	})
}

// protected are the fields not everybody sees: type → column → GraphQL name.
func (w *world) protected() map[string]map[string]string {
	out := map[string]map[string]string{}
	for name := range access.ProtectedFields {
		of, column, _ := strings.Cut(name, ".")
		f, ok := entity.ByName(of).Field(column)
		if !ok {
			w.t.Errorf("%s is protected, but no field", name)
			continue
		}
		if out[of] == nil {
			out[of] = map[string]string{}
		}
		out[of][column] = f.GQL
	}
	return out
}

// through are the filters of an input that reach the field of another in a few steps.
func (w *world) through(input, target, gql string, depth int) []string {
	d := w.schema.Types[input]
	if d == nil || depth == 0 {
		return nil
	}
	var out []string
	for _, f := range d.Fields {
		if input == target && strings.HasPrefix(f.Name, gql) && f.Type.Name() != "ID" {
			if value, ok := map[string]string{"Money": `"1"`, "Boolean": "true"}[f.Type.Name()]; ok {
				if f.Type.Elem != nil {
					value = "[" + value + "]"
				}
				out = append(out, f.Name+": "+value)
			}
		}
		if next := f.Type.Name(); strings.HasSuffix(next, "WhereInput") && (next != input || f.Name == "not" && depth == 3) {
			for _, c := range w.through(next, target, gql, depth-1) {
				if f.Type.Elem != nil {
					c = "[{" + c + "}]"
				} else {
					c = "{" + c + "}"
				}
				out = append(out, f.Name+": "+c)
			}
		}
	}
	return out
}
