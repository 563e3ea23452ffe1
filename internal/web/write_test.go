package web_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/vendor"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

func riskOf(s string) (vendor.Risk, error) { r := vendor.Risk(s); return r, vendor.RiskValidator(r) }

func TestCreate(t *testing.T) {
	each(t, func(w *world) {
		// What is wrong is said at the fields, and what was typed stays.
		a := w.post(w.pia, "/contracts", sum("name", "", "value", "a lot", "portfolio_id", w.ours.ID.String(), "reference", "R-1", "currency", "CAD")).want(422)
		p := a.page()
		p.WantHouseRules()
		p.WantAttr("#f-value", "value", "a lot")
		p.WantAttr("#f-value", "aria-invalid", "true")
		p.WantAttr("#f-reference", "value", "R-1")
		p.Want("#f-name-err", "Fill this in.")
		p.Want(".banner.bad", "2 entries need a change")
		part := w.post(w.pia, "/contracts", sum("name", "", "portfolio_id", w.ours.ID.String()), "HX-Request", "true", "HX-Target", "form#record-form").want(422).page()
		part.WantNone("main")
		part.Want("form#record-form")

		form := sum("name", "Squad 2027", "value", "1,250,000.50", "portfolio_id", w.ours.ID.String(), "vendor_id", w.vendor.ID.String(), "start_on", "2027-01-01", "currency", "CAD", "kind", "SERVICES", "key", "squad-27")
		to := w.post(w.pia, "/contracts", form).want(303).Header.Get("Location")
		if to != "/contracts/CT-SQUAD-27" {
			t.Fatalf("the new contract is at %s", to)
		}
		w.get(w.pia, to).want(200).page().Want("dd", "$1,250,000.50")
		// A reader of French types French.
		w.lang = "fr"
		form.Set("key", "squad-28")
		form.Set("value", "1 250 000,75")
		to = w.post(w.pia, "/contracts", form).want(303).Header.Get("Location")
		w.get(w.pia, to).want(200).page().Want("dd", "1\u00a0250\u00a0000,75\u00a0$")
		w.lang = "en"

		// Nobody creates where they may not: not elsewhere, not what their role has not.
		form.Set("portfolio_id", w.theirs.ID.String())
		w.post(w.pia, "/contracts", form).want(404)
		form.Set("portfolio_id", string(ident.New("pfo")))
		w.post(w.pia, "/contracts", form).want(404)
		form.Set("portfolio_id", w.ours.ID.String())
		w.post(w.aud, "/contracts", form).want(403)
		w.get(w.aud, "/contracts/new").want(403)
		w.get(w.aud, "/contracts").want(200).page().WantNone(`a[href="/contracts/new"]`)
	})
}

func TestEditAndConflict(t *testing.T) {
	each(t, func(w *world) {
		path := "/vendors/" + w.vendor.Key
		form := w.get(w.pia, path+"/edit").want(200).page()
		form.WantAttr("#f-name", "value", "OptIT")
		version := form.Attr("input[name=version]", "value")
		w.post(w.pia, path, sum("version", version, "name", "OptIT Inc.", "note", "First")).want(303)
		v, _ := strconv.Atoi(version)
		if got := w.reload(); got.Name != "OptIT Inc." || got.Note != "First" || got.Version != v+1 {
			t.Fatalf("%+v", got)
		}
		// The other one still has the old form: changed the website, left the name.
		late := sum("version", version, "name", "OptIT", "website", "https://new.example", "note", "Second")
		a := w.post(w.paul, path, late, "HX-Request", "true").want(409)
		p := a.page()
		p.Want("dialog[data-show]", "Somebody was faster", "Pia")
		p.Want("tr", "Name", "OptIT", "OptIT Inc.")
		p.Want("tr", "Note", "First", "Second")
		mine := url.Values{}
		for _, n := range p.All("dialog form input") {
			mine.Add(attr(n, "name"), attr(n, "value"))
		}
		if mine.Has("name") {
			t.Error("keeping mine would undo a change that is not mine")
		}
		w.post(w.paul, path, late).want(409).page().WantHouseRules()
		w.post(w.paul, path, mine).want(303)
		if got := w.reload(); got.Name != "OptIT Inc." || got.Note != "Second" || got.Website != "https://new.example" {
			t.Errorf("%+v", got)
		}
		w.post(w.pia, path, sum("name", "No version")).want(422)
		w.post(w.pia, path, sum("version", "4", "website", "javascript:alert(1)")).want(422).page().Want("#f-website-err")
		w.post(w.aud, path, sum("version", "4", "name", "x")).want(403)
		w.get(w.aud, path).want(200).page().WantNone(`a[href="` + path + `/edit"]`)
	})
}

func (w *world) reload() *ent.Vendor {
	w.t.Helper()
	v, err := w.s.Client.Vendor.Get(testkit.System(), w.vendor.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestCell(t *testing.T) {
	each(t, func(w *world) {
		w.get(w.pia, "/vendors").want(200).page().WantNone("form.inline")
		p := w.get(w.pia, "/vendors?edit=1").want(200).page()
		p.WantHouseRules()
		id := w.vendor.ID.String()
		p.Want("#c-" + id + "-website")
		w.get(w.aud, "/vendors?edit=1").want(200).page().WantNone("span.inline")
		cell := "/vendors/" + w.vendor.Key + "/cells/website"
		hx := []string{"HX-Request", "true"}
		form := w.get(w.pia, cell+"?edit=1", hx...).want(200).page()
		form.WantAttr("input[name=website]", "value", "https://optit.example")
		version := form.Attr("input[name=version]", "value")
		bad := w.post(w.pia, cell, sum("version", version, "website", "http://plain.example"), hx...).want(422).page()
		bad.WantAttr("input[name=website]", "value", "http://plain.example")
		bad.Want(".msg", "https")
		done := w.post(w.pia, cell, sum("version", version, "website", "https://two.example"), hx...).want(200).page()
		done.Want("#c-"+id+"-website a", "two.example")
		undo := done.Attr("hx-partial form", "action")
		if !strings.HasPrefix(undo, "/undo/") {
			t.Errorf("no way to take it back: %q", undo)
		}
		late := w.post(w.paul, cell, sum("version", version, "website", "https://three.example"), hx...).want(409).page()
		late.Want(".msg", "Pia changed this to “https://two.example”")
		late.WantAttr("input[name=website]", "value", "https://three.example")
		w.post(w.paul, cell, sum("version", late.Attr("input[name=version]", "value"), "website", "https://three.example"), hx...).want(200)
		// Taking back what somebody else has changed since is refused.
		w.post(w.pia, undo, url.Values{}).want(409)
		w.get(w.pia, "/vendors/"+w.vendor.Key+"/cells/key?edit=1", hx...).want(404)
		w.get(w.pia, "/vendors/"+w.vendor.Key+"/cells/name_norm", hx...).want(404)
		w.get(w.aud, cell+"?edit=1", hx...).want(403)
	})
}

func TestArchiveUndoAndRestore(t *testing.T) {
	each(t, func(w *world) {
		path := "/vendors/" + w.vendor.Key
		a := w.post(w.pia, path+"/archive", sum("version", "1")).want(303)
		flash := a.Cookies()[0]
		p := w.get(w.pia, path, "Cookie", flash.Name+"="+flash.Value).want(200).page()
		p.Want(".toast", "Archived")
		p.Want(".badge", "Archived")
		p.WantNone(`a[href="` + path + `/edit"]`)
		w.get(w.pia, "/vendors").want(200).page().WantNone(`a[href="` + path + `"]`)
		w.get(w.pia, "/vendors?archived=1").want(200).page().Want(`a[href="`+path+`"]`, "OptIT")
		w.post(w.paul, p.Attr(".toast form", "action"), url.Values{}).want(404) // somebody else's
		w.post(w.pia, p.Attr(".toast form", "action"), url.Values{}).want(303)
		w.get(w.pia, "/vendors").want(200).page().Want(`a[href="`+path+`"]`, "OptIT")
		w.post(w.pia, path+"/archive", sum("version", "1")).want(409)
		w.post(w.pia, path+"/archive", sum("version", strconv.Itoa(w.reload().Version))).want(303)
		w.post(w.pia, path+"/restore", sum("version", strconv.Itoa(w.reload().Version))).want(303)
		w.post(w.aud, path+"/archive", sum("version", "5")).want(403)
	})
}

func TestMoves(t *testing.T) {
	each(t, func(w *world) {
		path := "/procurements/" + w.procurement.Key
		p := w.get(w.paul, path).want(200).page()
		p.Want(".badge", "Planned")
		p.Want("button[data-open]", "Start preparation")
		w.get(w.vic, path).want(200).page().WantNone(`button[data-open^="move-"]`)
		w.post(w.vic, path+"/moves/IN_PREPARATION", sum("version", "1")).want(403)
		w.post(w.paul, path+"/moves/AWARDED", sum("version", "1")).want(409).page().Want(".banner.bad", "not possible in the present state")
		w.post(w.paul, path+"/moves/CANCELLED", sum("version", "1")).want(422).page().Want(".banner.bad", "Give a reason")
		w.post(w.paul, path+"/moves/IN_PREPARATION", sum("version", "1", "note", "Market is ready")).want(303)
		w.get(w.paul, path).want(200).page().Want(".badge", "In preparation")
		h := w.get(w.paul, path+"/history").want(200).page()
		h.Want(".reason", "Market is ready")
		h.Want(".diff", "Planned", "In preparation")
		w.post(w.paul, path+"/moves/PUBLISHED", sum("version", "1")).want(409)
		w.get(w.paul, "/").want(200).page().Want(".todo", "Second squad", "$420K")
	})
}

func TestLinks(t *testing.T) {
	each(t, func(w *world) {
		p := w.get(w.pia, "/products/forms").want(200).page()
		p.WantNone("#rel-components tbody tr")
		post := "/products/forms/links/components"
		w.post(w.pia, post, sum("add", w.component.ID.String())).want(303)
		w.get(w.pia, "/products/forms").want(200).page().Want("#rel-components tbody tr", "Mailer")
		w.get(w.pia, "/components/"+w.component.Key).want(200).page().Want("#rel-products tbody tr", "Forms")
		w.post(w.pia, post, sum("add", string(ident.New("cmp")))).want(404)
		w.post(w.pia, "/products/forms/links/contracts", sum("add", w.contract.ID.String())).want(404) // written from the contract
		w.post(w.pia, post, sum("remove", w.component.ID.String())).want(303)
		w.get(w.pia, "/products/forms/history").want(200).page().Want(".diff", "Components", "Mailer")
		w.post(w.aud, post, sum("add", w.component.ID.String())).want(403)
	})
}

func TestComments(t *testing.T) {
	each(t, func(w *world) {
		path := "/contracts/" + w.contract.Key
		w.post(w.pia, path+"/comments", sum("body", "Ask for a bootcamp")).want(303)
		p := w.get(w.vic, path).want(200).page()
		p.Want(".talk li", "Pia", "Ask for a bootcamp")
		p.WantNone(".talk button")
		part := w.post(w.vic, path+"/comments", sum("body", " "), "HX-Request", "true").want(422).page()
		part.Want(".msg")
		w.post(w.vic, path+"/comments", sum("body", "Agreed"), "HX-Request", "true").want(200).page().WantCount(".talk li", 2)
		edit := w.get(w.pia, path).page().Attr(".talk button", "hx-get")
		form := w.get(w.pia, edit).want(200).page()
		w.get(w.vic, edit).want(403)
		w.post(w.pia, edit, sum("version", form.Attr("input[name=version]", "value"), "body", "Ask for two bootcamps")).want(303)
		w.get(w.vic, path).want(200).page().Want(".talk li", "two bootcamps", "edited")
	})
}

func TestOptions(t *testing.T) {
	each(t, func(w *world) {
		w.get(w.pia, "/vendors/options?q=opt").want(200).page().Want("[role=option]", "OptIT", w.vendor.Key)
		w.get(w.pia, "/contracts/options?q=").want(200).page().WantCount("[role=option]", 1)
		w.get(w.pia, "/portfolios/options?q=hidden").want(200).page().WantNone("[role=option]")
		w.get(w.pat, "/portfolios/options?q=").want(404)
	})
}

// GET changes nothing: every address of a write answers GET without writing.
func TestGetWritesNothing(t *testing.T) {
	each(t, func(w *world) {
		before := w.changes()
		for _, path := range []string{"/archive?version=1", "/restore", "/comments?body=x", "/moves/CANCELLED?version=1&note=x", "/links/products?add=x"} {
			w.get(w.pia, "/contracts/"+w.contract.Key+path).want(404)
		}
		w.get(w.pia, "/vendors/"+w.vendor.Key+"/cells/website?version=1&website=https://x.example")
		w.get(w.pia, "/undo/abc").want(404)
		if w.changes() != before {
			t.Error("a GET has written")
		}
	})
}

// changes counts what was changed; that something was refused is told too, and is no change.
func (w *world) changes() int {
	n, err := w.s.Client.ChangeEvent.Query().Where(changeevent.OpNEQ(changeevent.OpEVENT)).Count(testkit.System())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
