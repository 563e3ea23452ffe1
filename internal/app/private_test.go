package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/testkit"
)

// canary is a text that stands for a person's: whatever is typed, stored or searched for in these tests holds it.
const canary = "Zanzibar-Kanarienvogel"

// privates are the texts that must show nowhere: names and addresses of everybody, the canary as it is written and
// as addresses write it.
func privates(t *testing.T, people []*ent.Person) []string {
	t.Helper()
	out := []string{canary, strings.ToLower(canary)}
	for _, p := range people {
		if p.Email != "" {
			out = append(out, p.Email, url.QueryEscape(p.Email))
		}
		if strings.Contains(p.Name, " ") { // a single word may be anything
			out = append(out, p.Name, url.QueryEscape(p.Name), url.PathEscape(p.Name))
		}
	}
	if len(out) < 20 {
		t.Fatalf("only %d people in the demo", len(people))
	}
	return out
}

// PV-5: no value of a query, no e-mail address, no name and no token is in a span, a metric's label or a line of the
// log, whatever goes well or wrong.
func TestNothingPersonalIsWatched(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		c := newOTLP(t)
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, canary, 500) }))
		t.Cleanup(receiver.Close)
		keys := keyFile(t)
		a, log := watched(t, database, "--demo", "--otlp-endpoint", c.URL, "--trace-ratio", "1", "--ops-listen", "127.0.0.1:0", "--webhook-allow", "127.0.0.0/8", "--key-file", keys)
		hook(t, a, keys, receiver.URL+"/"+canary+"?token="+canary)
		ctx, s := testkit.System(), a.Store()

		send := func(c *http.Client, method, path, mime, body string, header ...string) (int, string) {
			t.Helper()
			r, err := http.NewRequest(method, a.URL()+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", mime)
			r.Header.Set("User-Agent", canary)
			r.Header.Set("Referer", a.URL()+"/"+canary)
			r.Header.Set("X-Forwarded-For", canary)
			r.Header.Set("X-Request-Id", canary)
			r.Header.Set("Baggage", "person="+canary)
			r.Header.Set("Tracestate", "person="+strings.ToLower(canary))
			r.Header.Set("Traceparent", "00-"+theirTrace+"-"+theirSpan+"-01")
			for i := 0; i+1 < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			answer, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			b, _ := io.ReadAll(answer.Body)
			return answer.StatusCode, string(b)
		}
		const form = "application/x-www-form-urlencoded"
		pia, _ := enter(t, a, "pia.portfolio")
		ada, _ := enter(t, a, "ada.admin")
		secrets := []string{"Bearer "}
		site, _ := url.Parse(a.URL())
		for _, person := range []*http.Client{pia, ada} {
			for _, k := range person.Jar.Cookies(site) {
				if len(k.Value) > 12 {
					secrets = append(secrets, k.Value)
				}
			}
		}
		person, err := s.Client.Person.Query().First(ctx)
		if err != nil {
			t.Fatal(err)
		}
		q := url.QueryEscape(canary)
		for _, path := range []string{"/vendors?q=" + q, "/vendors?name=" + q, "/vendors?sort=" + q, "/vendors.csv?q=" + q, "/vendors.xlsx?q=" + q, "/vendors/options?q=" + q, "/vendors/" + q,
			"/" + q, "/portfolios/" + q + "/budget", "/contracts?filter=" + q, "/views/" + q, "/feeds/" + q, "/attachments/" + q, "/admin/users?q=" + q, "/admin/audit?q=" + q + "&actor=" + q, "/me?" + q,
			"/auth/callback?code=" + q + "&state=" + q + "&error=" + q + "&error_description=" + q, "/auth/login?return=/" + q, "/admin/users/" + person.ID.String(), "/exports/" + q + "/" + q, "/static/" + q} {
			send(pia, "GET", path, "text/plain", "")
			send(ada, "GET", path, "text/plain", "")
			send(&http.Client{}, "GET", path, "text/plain", "")
		}
		for _, path := range []string{"/vendors", "/me/profile", "/me/tokens", "/me/language", "/csp-reports", "/contracts", "/vendors/bulk", "/views", "/admin/users/" + person.ID.String() + "/roles", "/imports",
			"/admin/settings", "/auth/backchannel-logout", "/admin/webhooks"} {
			body := url.Values{"name": {canary}, "role": {canary}, "reason": {canary}, "version": {"1"}, "language": {canary}, "logout_token": {canary}, "url": {"https://" + canary + ".example/" + canary}, "days": {canary}}.Encode()
			send(pia, "POST", path, form, body)
			send(ada, "POST", path, form, body)
			send(&http.Client{}, "POST", path, form, body)
		}
		for _, report := range []string{`{"csp-report": {"document-uri": "%[1]s/vendors?q=%[2]s", "effective-directive": "script-src", "blocked-uri": "%[1]s/%[2]s", "script-sample": "%[2]s", "referrer": "%[2]s"}}`,
			`[{"type": "csp-violation", "url": "%[1]s/?%[2]s", "body": {"documentURL": "%[1]s/?%[2]s", "effectiveDirective": "style-src-attr", "blockedURL": "inline", "sourceFile": "%[1]s/%[2]s.js", "sample": "%[2]s", "lineNumber": 7}}]`,
			`{"csp-report": {"effective-directive": "%[2]s", "blocked-uri": "%[2]s", "source-file": "%[2]s"}}`, `"%[2]s"`, `[{"body": "%[2]s"}]`} {
			if status, said := send(&http.Client{}, "POST", "/csp-reports", "application/csp-report", fmt.Sprintf(report, a.URL(), canary)); status != 204 {
				t.Errorf("%s: %d %s", report, status, said)
			}
		}
		for _, want := range []string{`"directive":"script-src","blocked":"` + a.URL() + `"`, `"directive":"style-src-attr","blocked":"inline","source":"` + a.URL() + `","line":7`} {
			log.wait(t, want)
		}
		key := token(t, database, "portfolio-manager")
		secrets = append(secrets, key, key[:20])
		literal := func(document string, values map[string]any) string {
			b, _ := json.Marshal(map[string]any{"query": document, "variables": values})
			_, said := send(&http.Client{}, "POST", "/graphql", "application/json", string(b), "Authorization", "Bearer "+key)
			return said
		}
		said := literal(fmt.Sprintf(`mutation { createVendor(input: {name: %q, website: %q}) { id } }`, canary, "https://"+canary+".example"), nil)
		_, id, _ := strings.Cut(said, `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		if !strings.HasPrefix(id, "vnd_") {
			t.Fatal(said)
		}
		for range 3 { // the same statement is prepared the second time
			literal(`query($n: String!) { vendors(where: {name: $n, nameContainsFold: $n}) { edges { node { id name } } } }`, map[string]any{"n": canary})
			literal(fmt.Sprintf(`{ vendors(where: {or: [{name: %q}, {nameHasPrefix: %q}, {nameIn: [%q, "x"]}]}) { totalCount } }`, canary, canary, canary), nil)
			literal(`mutation($n: String!) { updateVendor(id: "`+id+`", version: 99, input: {name: $n}) { id } }`, map[string]any{"n": canary}) // somebody was faster
			literal(`mutation($n: String!) { createVendor(input: {name: $n, code: $n}) { id } }`, map[string]any{"n": canary})
		}
		literal(`{ vendors(where: {name: "`+canary+`" `, nil)
		literal(`{ nothing(x: "`+canary+`") }`, nil)
		literal(`{ node(id: "`+canary+`") { id } }`, nil)
		literal(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": []string{canary}})
		send(&http.Client{}, "POST", "/graphql", "application/json", `{"query": "{ viewer { roles } }"}`, "Authorization", "Bearer stw_"+canary)
		send(&http.Client{}, "POST", "/graphql?access_token="+q, "application/json", `{"query": "{ viewer { roles } }"}`)
		send(&http.Client{}, "POST", "/graphql", "application/json", canary, "Authorization", "Bearer "+key)
		send(pia, "GET", "/vendors/"+id, "text/plain", "")
		send(pia, "GET", "/vendors/"+id+"/history", "text/plain", "")
		send(pia, "POST", "/vendors/"+id, form, url.Values{"name": {canary + " again"}, "version": {"1"}}.Encode())
		send(pia, "POST", "/vendors/"+id+"/comments", form, url.Values{"body": {canary}}.Encode())
		if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.Create().SetName(canary + " of nobody").Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the webhook is tried", func() bool { return c.find("", "job webhook") != nil })

		metrics := scrape(t, a)
		people := s.Client.Person.Query().AllX(ctx)
		if err := a.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(c.all()) < 200 || strings.Count(log.String(), "\n") < 100 {
			t.Fatalf("%d spans and %d lines only", len(c.all()), strings.Count(log.String(), "\n"))
		}
		for where, text := range map[string]string{"a span": c.raw.String(), "a metric": metrics, "the log": log.String()} {
			for _, x := range append(privates(t, people), secrets...) {
				if at := strings.Index(text, x); at >= 0 {
					t.Errorf("%s says %q: …%s…", where, x, text[max(0, at-300):min(len(text), at+200)])
				}
			}
		}
	})
}

// links finds the addresses in a page.
var (
	links  = regexp.MustCompile(`(?:href|src|action|formaction|hx-(?:get|post|put|patch|delete)|data-(?:url|href|src))="([^"]*)"`)
	number = regexp.MustCompile(`[a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{26}|\d+`)
)

// PV-5: no page and no redirect puts a name or an e-mail address into an address, which ends up in histories, logs of
// proxies and bookmarks.
func TestNothingPersonalInAddresses(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--demo")
		people := a.Store().Client.Person.Query().AllX(testkit.System())
		bad := privates(t, people)
		check := func(where, address string) {
			t.Helper()
			plain, err := url.QueryUnescape(address)
			if err != nil {
				plain = address
			}
			for _, x := range bad {
				if strings.Contains(address, x) || strings.Contains(strings.ToLower(plain), strings.ToLower(x)) {
					t.Errorf("%s: %s names somebody", where, address)
					return
				}
			}
			if strings.Contains(plain, "@") {
				t.Errorf("%s: %s holds an e-mail address", where, address)
			}
		}
		for _, route := range everyRoute(t) {
			for _, m := range wildcard.FindAllString(route, -1) {
				if slices.Contains([]string{"{email}", "{mail}", "{name}", "{username}", "{login}", "{person}"}, m) {
					t.Errorf("the route %s takes a person's own text", route)
				}
			}
		}
		pages := 0
		for _, who := range []string{"pia.portfolio", "ada.admin", "aud.auditor", "vera.vendor"} {
			c, _ := enter(t, a, who)
			c.CheckRedirect = func(r *http.Request, _ []*http.Request) error { check("a redirect", r.URL.String()); return nil }
			waiting, seen := []string{"/"}, map[string]int{}
			for looked := 0; len(waiting) > 0 && looked < 250; looked++ {
				path := waiting[0]
				waiting = waiting[1:]
				answer, err := c.Get(a.URL() + path)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				if pages++; !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
					continue
				}
				for _, m := range links.FindAllStringSubmatch(string(body), -1) {
					address := html.UnescapeString(m[1])
					check(who+" at "+path, address)
					to, err := url.Parse(address)
					if err != nil || to.IsAbs() || !strings.HasPrefix(to.Path, "/") || strings.HasPrefix(to.Path, "/static/") || strings.HasPrefix(to.Path, "/auth/") {
						continue
					}
					kind := number.ReplaceAllString(to.Path, "#")
					if seen[kind]++; seen[kind] <= 2 { // two of each kind of page
						waiting = append(waiting, address)
					}
				}
			}
			if r, err := c.PostForm(a.URL()+"/auth/logout", nil); err == nil {
				r.Body.Close()
			}
		}
		t.Logf("%d pages", pages)
		if pages < 300 {
			t.Errorf("only %d pages were looked at of %d types", pages, len(entity.Registry()))
		}
	})
}
