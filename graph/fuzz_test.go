package graph_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/graph"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// FuzzDocument is the other half of GQ-11: whatever text is sent as a document,
// nothing panics, no answer is a fault of ours, none takes long, and none holds
// what belongs to others. `go test ./graph -fuzz FuzzDocument` goes on from the
// seeds.
func FuzzDocument(f *testing.F) {
	for _, text := range []string{
		"", "{", "{}", "nonsense", "\x00", "{a:__typename b:__typename}", `{__schema{types{name}}}`,
		`{contracts(first:2,orderBy:[{field:NAME}]){totalCount pageInfo{endCursor} edges{cursor node{key value vendor{name}}}}}`,
		`{portfolios{edges{node{...f}}}} fragment f on Portfolio{products(last:3){edges{node{name}}}}`,
		`query($n:Int=3,$w:ContractWhereInput){contracts(first:$n,where:$w){edges{node{id}}}}`,
		`{products(where:{or:[{nameContains:"%"},{not:{keyIn:["a"]}}]}){totalCount @skip(if:true) edges{node{... on Node{id}}}}}`,
		`{node(id:"ctr_1"){id ... on Contract @include(if:true){name}} nodes(ids:["prd_1",""]){id}}`,
		`{history(id:"x",first:1,after:"y"){next} comments(subject:"x",offset:-1){id}}`,
		`mutation{createVendor(input:{name:"\u0000 \\"}){id key} archiveTag(id:"",version:-1){id}}`,
		`{a{...f}} fragment f on A{a{...g}} fragment g on A{a{...f}}`,
		`subscription{x}`, `{...{...{...{__typename}}}}`, `query A{__typename} query B{__typename}`,
		`{contractRenewals(from:"2026-01-01",to:"0000-00-00"){daysLeft} budgetGrid(plan:"x"){plan{id}}}`,
		"{" + strings.Repeat("x", 5000) + "}", strings.Repeat("{a", 50) + strings.Repeat("}", 50),
	} {
		f.Add(text)
	}
	urls := []string{testkit.SQLiteURL(f)}
	if !testkit.OnlySQLite() {
		urls = append(urls, testkit.PostgresURL(f))
	}
	var worlds []*world
	for _, url := range urls {
		worlds = append(worlds, newWorld(f, testkit.OpenURL(f, url), graph.Limits{}))
	}
	f.Fuzz(func(t *testing.T, text string) {
		body, err := json.Marshal(map[string]string{"query": text})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range worlds {
			w.t = t
			for _, v := range []*viewer.Viewer{w.pia(), w.cole(), w.pat(), w.bot()} {
				began := time.Now()
				r := w.send(v, string(body))
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("%s waited %s", v.Name, took)
				}
				faulty := r.Status >= http.StatusInternalServerError
				for _, e := range r.Errors {
					faulty = faulty || slices.Contains([]string{"INTERNAL", "UNAVAILABLE", ""}, e.Extensions.Code)
				}
				// the contract Secret is the partner's own
				for _, foreign := range []string{w.foreign.Name, w.theirs.Name, w.secret.Name} {
					mine := foreign == w.secret.Name && v.Name == "pat"
					faulty = faulty || !mine && strings.Contains(r.Body, foreign) && !strings.Contains(text, foreign)
				}
				if faulty {
					t.Errorf("%s is answered %d: %s", v.Name, r.Status, r.Body)
				}
			}
		}
	})
}
