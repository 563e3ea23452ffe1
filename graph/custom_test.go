package graph_test

import (
	"strings"
	"testing"

	"steward/graph"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// Custom values are merged: what is given replaces, null takes away, the rest stays; and
// they are checked whether they come as literals or as variables.
func TestCustomValues(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		define := `mutation{a:createCustomField(input:{entity:"Vendor",code:"seats",name:"Seats",kind:NUMBER}){id}
			b:createCustomField(input:{entity:"Vendor",code:"class",name:"Class",kind:CHOICE,choices:["A","B"],required:true}){id version}
			c:createCustomField(input:{entity:"Vendor",code:"open",name:"Open",kind:YES_NO}){id}}`
		w.ask(w.pia(), define).fine(t)
		w.ask(w.cole(), `mutation{createCustomField(input:{entity:"Vendor",code:"x",name:"X"}){id}}`).code(t, "FORBIDDEN")
		r := w.ask(w.pia(), `mutation{createCustomField(input:{entity:"Vendors",code:"x y",name:"X"}){id}}`).code(t, "VALIDATION")
		if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "entity" {
			t.Errorf("%s", r.Body)
		}

		r = w.ask(w.pia(), `mutation{createVendor(input:{name:"V",custom:{seats:"1"}}){id}}`).code(t, "VALIDATION")
		if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "custom.class" || f[0].Message != "Class is required." {
			t.Errorf("%s", r.Body)
		}
		r = w.ask(w.pia(), `mutation{createVendor(input:{name:"V",custom:{seats:12.5,class:"A",open:false}}){id custom}}`).fine(t)
		id := r.at("createVendor.id")
		if r.at("createVendor.custom.seats") != "12.50" || r.at("createVendor.custom.open") != false {
			t.Errorf("%s", r.Body)
		}
		const update = `mutation($id:ID!,$v:Int!,$c:JSON){updateVendor(id:$id,version:$v,input:{custom:$c}){version custom}}`
		r = w.ask(w.pia(), update, "id", id, "v", 1, "c", map[string]any{"seats": 922337203685477, "open": nil}).fine(t)
		if r.at("updateVendor.custom.seats") != "922337203685477.00" || r.at("updateVendor.custom.class") != "A" || strings.Contains(string(r.Body), "open") {
			t.Errorf("%s", r.Body)
		}
		r = w.ask(w.pia(), update, "id", id, "v", 2, "c", map[string]any{"seats": []any{1}, "class": nil, "nothing": 1, "open": "yes"}).code(t, "VALIDATION")
		if f := r.Errors[0].Extensions.Fields; len(f) != 4 {
			t.Errorf("%s", r.Body)
		}
		w.ask(w.pia(), `mutation($id:ID!){updateVendor(id:$id,version:2,input:{clearCustom:true}){version}}`, "id", id).code(t, "VALIDATION")
		r = w.ask(w.pia(), `mutation($id:ID!){updateVendor(id:$id,version:2,input:{custom:{class:"B",seats:null}}){version custom}}`, "id", id).fine(t)
		if r.at("updateVendor.custom.class") != "B" || strings.Contains(string(r.Body), "seats") {
			t.Errorf("%s", r.Body)
		}
		r = w.ask(w.pia(), `query($id:ID!){history(id:$id){entries{op fields{name before after}}}}`, "id", id).fine(t)
		if !strings.Contains(string(r.Body), `"custom.class"`) || !strings.Contains(string(r.Body), `"custom.seats"`) {
			t.Errorf("%s", r.Body)
		}
	})
}

// Lists are narrowed by custom fields as they are by others, also inside not and or, and
// nobody sees more by that.
func TestCustomFilters(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.ask(w.pia(), `mutation{a:createCustomField(input:{entity:"Vendor",code:"seats",name:"Seats",kind:NUMBER}){id}
			b:createCustomField(input:{entity:"Vendor",code:"class",name:"Class",kind:CHOICE,choices:["A","B"]}){id}
			c:createCustomField(input:{entity:"Vendor",code:"open",name:"Open",kind:YES_NO}){id}}`).fine(t)
		w.ask(w.pia(), `mutation{a:createVendor(input:{name:"Filter one",custom:{seats:"9",class:"A",open:true}}){id}
			b:createVendor(input:{name:"Filter two",custom:{seats:"10.5",class:"B",open:false}}){id}
			c:createVendor(input:{name:"Filter three"}){id}}`).fine(t)
		for where, want := range map[string]string{
			`{customField:[{code:"seats",op:GT,values:["9.5"]}]}`:                                                    "two",
			`{customField:[{code:"seats",op:EQ,values:["9.00","10.5"]},{code:"open",op:EQ,values:["true"]}]}`:        "one",
			`{or:[{customField:[{code:"class",op:CONTAINS,values:["a"]}]},{customField:[{code:"class",op:NONE}]}]}`:  "one three",
			`{not:{customField:[{code:"class",op:ANY}]}}`:                                                            "three",
			`{not:{or:[{customField:[{code:"seats",op:LTE,values:["9"]}]},{customField:[{code:"seats",op:NONE}]}]}}`: "two",
		} {
			r := w.ask(w.pia(), `{vendors(first:50,orderBy:[{field:NAME}],where:{and:[{nameContainsFold:"Filter "},`+where+`]}){edges{node{name}}}}`).fine(t)
			var got []string
			for _, name := range []string{"one", "three", "two"} {
				if strings.Contains(string(r.Body), `"Filter `+name+`"`) {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", where, got, want)
			}
		}
		for _, where := range []string{
			`{customField:[{code:"nothing",op:ANY}]}`,
			`{customField:[{code:"seats",op:CONTAINS,values:["1"]}]}`,
			`{customField:[{code:"seats",op:GT,values:["x' OR 1=1 --"]}]}`,
			`{customField:[{code:"seats",op:GT}]}`,
			`{not:{customField:[{code:"class') OR 1=1 --",op:ANY}]}}`,
		} {
			w.ask(w.pia(), `{vendors(where:`+where+`){edges{node{id}}}}`).code(t, "VALIDATION")
		}
	})
}
