package testkit

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// probe is a testing.TB that keeps the failures instead of failing.
type probe struct {
	testing.TB
	errs []string
}

func (p *probe) Helper()                      {}
func (p *probe) Errorf(f string, args ...any) { p.errs = append(p.errs, fmt.Sprintf(f, args...)) }
func (p *probe) Fatalf(f string, args ...any) { p.Errorf(f, args...); runtime.Goexit() }
func (p *probe) Fatal(args ...any)            { p.Fatalf("%s", fmt.Sprint(args...)) }

// failures runs checks against body and returns what they complained about.
func failures(t *testing.T, body string, check func(*HTML)) []string {
	p := &probe{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(ParseHTML(p, body))
	}()
	<-done
	return p.errs
}

const page = `<!doctype html><html lang="en"><head><title>Budgets</title><script src="/static/a.js"></script></head><body>
<nav><a href="/p">Portfolios</a> <a href="/b" aria-current="page">Budgets</a></nav>
<main><h1>Budget  of
 <b>CHEFS</b></h1><table><tbody><tr><td>1</td><td>480 000,00 $</td></tr><tr><td>2</td><td>x</td></tr></tbody></table>
<form><label for="n">Name</label><input id="n" name="n"><label>Note <textarea></textarea></label><button><img alt="Save"></button></form></main></body></html>`

func TestHTMLChecks(t *testing.T) {
	for name, c := range map[string]struct {
		check func(*HTML)
		fails string // part of the complaint; "" passes
	}{
		"text":            {func(h *HTML) { h.Want("main h1", "Budget of CHEFS") }, ""},
		"several texts":   {func(h *HTML) { h.Want("tr", "1", "480 000,00 $") }, ""},
		"cells apart":     {func(h *HTML) { h.Want("tr", "1480") }, "no tr with"},
		"wrong text":      {func(h *HTML) { h.Want("h1", "Forecast") }, `found ["Budget of CHEFS"]`},
		"missing":         {func(h *HTML) { h.Want(".toast") }, "no .toast"},
		"none":            {func(h *HTML) { h.WantNone(".error") }, ""},
		"none but one":    {func(h *HTML) { h.WantNone("nav") }, "unexpected nav"},
		"count":           {func(h *HTML) { h.WantCount("tbody tr", 2) }, ""},
		"wrong count":     {func(h *HTML) { h.WantCount("tbody tr", 3) }, "2 tbody tr, want 3"},
		"attribute":       {func(h *HTML) { h.WantAttr("nav a:nth-of-type(2)", "href", "/b") }, ""},
		"wrong attribute": {func(h *HTML) { h.WantAttr("nav a", "href", "/b") }, `href="/p", want "/b"`},
		"in":              {func(h *HTML) { h.In("nav").WantCount("a", 2) }, ""},
		"in nothing":      {func(h *HTML) { h.In("footer").WantCount("a", 2) }, "no footer"},
		"in keeps out":    {func(h *HTML) { h.In("nav").Want("h1") }, "nav: no h1"},
		"no text":         {func(h *HTML) { h.WantNoText("OptIT") }, ""},
		"forbidden text":  {func(h *HTML) { h.WantNoText("CHEFS") }, `says "CHEFS"`},
		"hidden in attr":  {func(h *HTML) { h.WantNoText("/static/a.js") }, "says"},
		"bad selector":    {func(h *HTML) { h.Want("[[") }, "selector"},
		"house rules":     {func(h *HTML) { h.WantHouseRules() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := failures(t, page, c.check)
			if c.fails == "" && len(got) > 0 || c.fails != "" && !strings.Contains(strings.Join(got, "\n"), c.fails) {
				t.Errorf("got %q, want %q", got, c.fails)
			}
		})
	}
	h := ParseHTML(t, page)
	if h.Text("button") != "Save" || h.Attr("html", "lang") != "en" || len(h.Texts("td")) != 4 || h.Attr("h1", "id") != "" || h.Text("aside") != "" {
		t.Error(h.Text("button"), h.Texts("td"))
	}
}

func TestHouseRulesSeeEachFault(t *testing.T) {
	for fault, c := range map[string][2]string{
		"two h1":        {"<h1>Budget", "<h1>x</h1><h1>Budget"},
		"no title":      {"<title>Budgets</title>", ""},
		"no language":   {` lang="en"`, ""},
		"inline script": {"<main>", "<main><script>x()</script>"},
		"style element": {"<main>", "<main><style>a{}</style>"},
		"style":         {"<main>", `<main style="color:red">`},
		"handler":       {"<main>", `<main onclick="x()">`},
		"hx-on":         {"<main>", `<main hx-on::load="x()">`},
		"script link":   {`href="/p"`, `href=" JavaScript:x()"`},
		"id twice":      {"<h1>", `<h1 id="n">`},
		"no label":      {`for="n"`, `for="m"`},
		"silent button": {`alt="Save"`, `alt=""`},
	} {
		body := strings.Replace(page, c[0], c[1], 1)
		if body == page {
			t.Errorf("%s: nothing replaced", fault)
		}
		if got := failures(t, body, func(h *HTML) { h.WantHouseRules() }); len(got) != 1 {
			t.Errorf("%s: got %q, want one complaint", fault, got)
		}
	}
}

func TestFragmentOfATable(t *testing.T) {
	ParseHTML(t, `<tr id="r1"><td>a</td></tr><tbody id="totals" hx-swap-oob="true"><tr><td>9</td></tr></tbody>`).Want("tr#r1 td", "a")
}

func TestSharedData(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STEWARD_SHARED_DATA", dir)
	p := &probe{TB: t}
	done := make(chan struct{})
	go func() { defer close(done); SharedData(p) }()
	<-done
	if len(p.errs) != 1 || !strings.Contains(p.errs[0], "STEWARD_SHARED_DATA") {
		t.Errorf("a folder without the data: %q", p.errs)
	}
}
