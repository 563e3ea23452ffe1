package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"

	"steward/ent"
	"steward/ent/customfield"
	"steward/ent/vendor"
	"steward/internal/area/custom"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// fields gives vendors a field of each kind; the names are as hostile as names may be.
func (w *world) fields() map[string]ident.ID {
	w.t.Helper()
	out := map[string]ident.ID{}
	w.do(func(ctx context.Context, c *ent.Client) error {
		for code, kind := range map[string]customfield.Kind{"remark": customfield.KindTEXT, "seats": customfield.KindNUMBER, "audited": customfield.KindDATE,
			"green": customfield.KindYES_NO, "class": customfield.KindCHOICE, "portal": customfield.KindLINK} {
			f := c.CustomField.Create().SetEntity("Vendor").SetCode(code).SetName("Own " + code + " <b>").SetNameFr("À nous " + code).SetKind(kind).SetHelp("Help with " + code)
			if kind == customfield.KindCHOICE {
				f.SetChoices([]string{"Public", "Protected <A>"})
			}
			out[code] = f.SaveX(ctx).ID
		}
		return nil
	})
	return out
}

// vendorForm is a form with everything vendors need, and the pairs.
func vendorForm(pairs ...string) url.Values {
	return sum(append([]string{"name", "OptIT"}, pairs...)...)
}

func (w *world) values() map[string]any { return w.reload().Custom }

func TestOwnFieldsInForms(t *testing.T) {
	each(t, func(w *world) {
		w.fields()
		path := "/vendors/" + w.vendor.Key
		p := w.get(w.pia, path+"/edit").want(200).page()
		p.WantHouseRules()
		p.Want("label", "Own remark <b>")
		p.Want("#f-custom-remark-hint", "Help with remark")
		p.WantAttr("#f-custom-audited", "type", "date")
		p.Want("select#f-custom-class option", "Protected <A>")
		p.Want("select#f-custom-green option", "Yes")

		all := vendorForm("version", "1", "custom.remark", "<script>alert(1)</script>", "custom.seats", "12,500.25", "custom.audited", "2026-04-01",
			"custom.green", "false", "custom.class", "Protected <A>", "custom.portal", "https://optit.example/x?a=1&b=2")
		wrong := maps.Clone(all)
		for name, v := range map[string]string{"seats": "many", "audited": "2026-02-30", "green": "perhaps", "class": "Secret", "portal": "file:///etc/passwd"} {
			wrong.Set("custom."+name, v)
		}
		p = w.post(w.pia, path, wrong).want(422).page()
		p.WantHouseRules()
		p.Want(".banner.bad", "5 entries need a change", `Own seats <b> takes a number with four decimals at most; "many" is none.`)
		p.Want("#f-custom-portal-err", "https://")
		p.WantAttr("#f-custom-seats", "value", "many")
		p.WantAttr("#f-custom-remark", "value", "<script>alert(1)</script>")
		p.Want(`.banner.bad a[href="#f-custom-seats"]`, "Own seats")
		if len(w.values()) > 0 {
			t.Fatalf("something is stored: %v", w.values())
		}

		w.post(w.pia, path, all).want(303)
		want := map[string]any{"remark": "<script>alert(1)</script>", "seats": "12500.25", "audited": "2026-04-01", "green": false, "class": "Protected <A>", "portal": "https://optit.example/x?a=1&b=2"}
		if got := w.values(); !maps.Equal(got, want) {
			t.Fatalf("%v", got)
		}
		a := w.get(w.pia, path).want(200)
		p = a.page()
		p.WantHouseRules()
		for _, text := range []string{"<script>alert(1)</script>", "12,500.25", "1\u00a0Apr 2026", "No", "Protected <A>"} {
			p.Want("#facts dd", text)
		}
		p.WantAttr(`#facts a[href="https://optit.example/x?a=1&b=2"]`, "rel", "noopener noreferrer")
		if strings.Contains(a.body, "<script>alert") {
			t.Error("a value is not escaped")
		}
		// the form shows what it is stored as, in the reader's language, and saving it changes nothing
		w.lang = "fr"
		p = w.get(w.pia, path+"/edit").want(200).page()
		p.WantAttr("#f-custom-seats", "value", "12\u00a0500,25")
		again := url.Values{"version": {p.Attr("input[name=version]", "value")}, "name": {"OptIT"}}
		for name := range want {
			if v := p.All("[name='custom." + name + "'] option[selected]"); len(v) > 0 {
				again.Set("custom."+name, attr(v[0], "value"))
			} else {
				again.Set("custom."+name, p.Attr("[name='custom."+name+"']", "value"))
			}
		}
		w.post(w.pia, path, again).want(303)
		if got := w.values(); !maps.Equal(got, want) {
			t.Errorf("saving a form again makes %v", got)
		}
		w.get(w.pia, path).want(200).page().Want("#facts dt", "À nous seats")
		// the history has one line for each field, called as the reader calls it
		h := w.get(w.pia, path+"/history").want(200).page()
		h.Want("#history", "À nous seats", "12\u00a0500,25", "À nous green")
		w.lang = "en"

		// emptied fields lose their value; those that were not sent keep it
		w.post(w.pia, path, vendorForm("version", "3", "custom.remark", "", "custom.green", "")).want(303)
		delete(want, "remark")
		delete(want, "green")
		if got := w.values(); !maps.Equal(got, want) {
			t.Errorf("%v", got)
		}
		// somebody who was slower is shown both, under the names of the fields
		c := w.post(w.paul, path, vendorForm("version", "3", "custom.seats", "7", "custom.class", "Public"), "HX-Request", "true").want(409).page()
		c.Want("dialog[data-show] tr", "Own seats <b>", "12,500.25", "7")
		c.Want(`dialog input[name="custom.class"]`)
	})
}

func TestOwnFieldsRequired(t *testing.T) {
	each(t, func(w *world) {
		ids := w.fields()
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.CustomField.UpdateOneID(ids["class"]).SetRequired(true).Exec(ctx)
		})
		w.get(w.pia, "/vendors/new").want(200).page().Want("select#f-custom-class[required]")
		p := w.post(w.pia, "/vendors", sum("name", "New", "custom.class", "")).want(422).page()
		p.Want("#f-custom-class-err", "Own class <b> is required.")
		w.post(w.pia, "/vendors", sum("name", "New", "custom.class", "Public")).want(303)
		// a vendor that never had one can be changed without
		path := "/vendors/" + w.vendor.Key
		w.get(w.pia, path+"/edit").want(200).page().WantNone("select#f-custom-class[required]")
		w.post(w.pia, path, vendorForm("version", "1", "custom.class", "")).want(303)
	})
}

func TestArchivedOwnField(t *testing.T) {
	each(t, func(w *world) {
		ids := w.fields()
		path := "/vendors/" + w.vendor.Key
		w.post(w.pia, path, vendorForm("version", "1", "custom.remark", "kept")).want(303)
		if err := w.s.Archive(testkit.System(), "CustomField", ids["remark"], 1); err != nil {
			t.Fatal(err)
		}
		w.get(w.pia, path+"/edit").want(200).page().WantNone("#f-custom-remark")
		p := w.get(w.pia, path).want(200).page()
		p.Want("#facts dt", "Own remark <b> (no longer in use)")
		p.Want("#facts dd .muted", "kept")
		w.post(w.pia, path, vendorForm("version", "2", "custom.remark", "changed", "custom.seats", "1")).want(303)
		if got := w.values(); got["remark"] != "kept" || got["seats"] != "1.00" {
			t.Errorf("%v", got)
		}
	})
}

func TestOwnFieldsInLists(t *testing.T) {
	each(t, func(w *world) {
		w.fields()
		w.do(func(ctx context.Context, c *ent.Client) error {
			for i, name := range []string{"Ash", "Beech", "Cedar"} {
				c.Vendor.Create().SetName(name).SetCustom(map[string]any{"remark": "100 % " + name, "seats": fmt.Sprint(i*10) + ".5", "audited": fmt.Sprintf("2026-0%d-01", i+1),
					"green": i == 0, "class": []string{"Public", "Protected <A>"}[i%2], "portal": "mailto:desk@" + strings.ToLower(name) + ".example"}).SaveX(ctx)
			}
			return nil
		})
		p := w.get(w.pia, "/vendors?cols=name,custom.seats,custom.class,custom.portal").want(200).page()
		p.WantHouseRules()
		p.Want("th", "Own seats <b>")
		p.Want("td.num", "10.5")
		p.WantAttr(`td a[href="mailto:desk@ash.example"]`, "rel", "noopener noreferrer")
		p.Want("#columns label", "Own remark <b>")
		w.get(w.pia, "/vendors").want(200).page().WantNone("th:contains('Own')")

		names := func(query string) string {
			w.t.Helper()
			p := w.get(w.pia, "/vendors?"+query).want(200).page()
			p.WantHouseRules()
			out := ""
			for _, n := range []string{"Ash", "Beech", "Cedar", "OptIT"} {
				if len(p.All("#list tbody th:contains('"+n+"')")) > 0 {
					out += n[:1]
				}
			}
			return out
		}
		for query, want := range map[string]string{
			"f.custom.remark.contains=ASH": "A", "f.custom.remark.contains=100+%25": "ABC", "f.custom.remark.contains=%27+OR+1%3D1--": "",
			"f.custom.seats.gte=10": "BC", "f.custom.seats.lte=10.5": "AB", "f.custom.seats.gte=1%2C0&f.custom.seats.lte=15": "",
			"f.custom.audited.gte=2026-02-01&f.custom.audited.lte=2026-02-28": "B", "f.custom.green=true": "A", "f.custom.green=false": "BC",
			"f.custom.green=true&f.custom.green=false": "ABC", "f.custom.class=Public": "AC", "f.custom.class=Public&f.custom.class=Protected+%3CA%3E": "ABC",
			"f.custom.portal.contains=beech": "B", "f.custom.remark.none=1": "O", "f.custom.class=Public&f.custom.seats.gte=10": "C",
		} {
			if want == "" && strings.Contains(query, "%2C") {
				w.get(w.pia, "/vendors?"+query).want(422)
				continue
			}
			if got := names(query); got != want {
				t.Errorf("%s finds %q, want %q", query, got, want)
			}
		}
		p = w.get(w.pia, "/vendors?f.custom.remark.contains=ash&f.custom.seats.gte=0&f.custom.class=Public").want(200).page()
		p.Want(".chip", "Own remark <b> contains “ash”")
		p.WantAttr(`#filters input[name="f.custom.remark.contains"]`, "value", "ash")
		p.Want(`#filters input[name="f.custom.class"][value="Public"][checked]`)
		for _, bad := range []string{"f.custom=1", "f.custom.nothing=1", "f.custom.remark%27=1", "f.custom.remark.gte=1", "f.custom.seats=x", "f.custom.seats.near=1",
			"cols=name,custom.nothing", "sort=custom.seats", "f.custom.audited.gte=soon"} {
			w.get(w.pia, "/vendors?"+bad).want(422)
		}
		// a partner, who may not read definitions, is told nothing of them
		a := w.get(w.pat, "/vendors").want(200)
		if strings.Contains(a.body, "Own ") {
			t.Error("a partner reads the names of fields")
		}
		w.get(w.pat, "/vendors?f.custom.class=Public").want(422)
	})
}

func TestDefinitionsByForm(t *testing.T) {
	each(t, func(w *world) {
		w.get(w.pia, "/vendors").want(200).page().Want(`#columns a[href="/custom-fields?q=Vendor"]`, "Fields of your own")
		w.get(w.vic, "/vendors").want(200).page().WantNone(`#columns a[href="/custom-fields?q=Vendor"]`)
		p := w.get(w.pia, "/custom-fields/new").want(200).page()
		p.Want("select#f-entity option[value=Vendor]", "Vendors")
		p.WantNone("select#f-entity option[value=CustomField]")
		form := sum("entity", "Vendor", "code", "Bad Code", "name", "Class", "kind", "CHOICE", "choices", "A\nB")
		w.post(w.pia, "/custom-fields", form).want(422).page().Want("#f-code-err", "lowercase")
		form.Set("code", "class")
		to := w.post(w.pia, "/custom-fields", form).want(303).Header.Get("Location")
		path := "/vendors/" + w.vendor.Key
		w.post(w.pia, path, vendorForm("version", "1", "custom.class", "A")).want(303)
		form.Set("version", "1")
		form.Set("choices", "B")
		w.post(w.pia, to, form).want(422).page().Want("#f-choices-err", `"A" cannot be taken away: 1 record has it.`)
		form.Set("choices", "A\nB\nC")
		w.post(w.pia, to, form).want(303)
		w.get(w.pia, path+"/edit").want(200).page().Want("select#f-custom-class option", "C")
	})
}

// What is exported comes back as it was: every kind, in both languages, as a table for
// people and for programs, and as a workbook.
func TestOwnFieldsThereAndBack(t *testing.T) {
	each(t, func(w *world) {
		ids := w.fields()
		values := map[string]any{"remark": "=1+1", "seats": "12500.25", "audited": "2026-04-01", "green": true, "class": "Protected <A>", "portal": "https://a.example/"}
		w.do(func(ctx context.Context, c *ent.Client) error {
			// one that is called like a column that is there already, and like one another
			c.CustomField.Create().SetEntity("Vendor").SetCode("status_too").SetName("Status").SaveX(ctx)
			c.CustomField.Create().SetEntity("Vendor").SetCode("twin").SetName("own remark b").SaveX(ctx)
			c.Vendor.Create().SetName("Ash").SetCustom(values).SaveX(ctx)
			c.Vendor.Create().SetName("Beech").SetCustom(map[string]any{"green": false, "status_too": "x", "twin": "y"}).SaveX(ctx)
			return nil
		})
		back := func(name, body, entity string) *importer.Report {
			t.Helper()
			r, err := importer.Run(testkit.System(), w.s, tabular.For(w.s), []importer.File{importer.Bytes(name, []byte(body))}, importer.Options{Apply: true, Set: map[string]string{"entity": entity}})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		for _, lang := range []string{"en", "fr"} {
			w.lang = lang
			for _, file := range []string{"vendors.xlsx", "vendors.csv?format=raw"} {
				a := w.get(w.pia, "/"+file).want(200)
				name := strings.Split(file, "?")[0]
				r := back(name, a.body, "Vendor")
				if len(r.Faults)+len(r.Warnings) > 0 || r.Unchanged["Vendor"] != 3 {
					t.Errorf("%s, %s: %+v %+v, unchanged %v, updated %v", file, lang, r.Faults, r.Warnings, r.Unchanged, r.Updated)
				}
			}
		}
		w.lang = "en"
		rows := w.get(w.pia, "/vendors.xlsx").want(200).rowsOf("")
		if head := strings.Join(rows[0], "|"); !strings.Contains(head, "Own seats <b>") || !strings.Contains(head, "Status (status_too)") || !strings.Contains(head, "own remark b (twin)") {
			t.Errorf("the workbook is headed %s", head)
		}
		csv := w.get(w.pia, "/vendors.csv").want(200).body
		if !strings.Contains(csv, "'=1+1") {
			t.Errorf("a formula is not guarded: %s", csv)
		}
		var doc struct {
			Rows []struct {
				Name   string
				Custom map[string]any
			}
		}
		if err := json.NewDecoder(bytes.NewBufferString(w.get(w.pia, "/vendors.json").want(200).body)).Decode(&doc); err != nil || len(doc.Rows) != 3 {
			t.Fatal(err, doc)
		}
		if got := doc.Rows[0].Custom; doc.Rows[0].Name != "Ash" || got["seats"] != "12500.25" || got["green"] != true || got["remark"] != "=1+1" {
			t.Errorf("%+v", doc.Rows[0])
		}

		ash := w.s.Client.Vendor.Query().Where(vendor.Name("Ash")).OnlyX(testkit.System())
		// a file with some of the fields says nothing about the others
		if r := back("v.csv", "id,custom.seats\n"+ash.ID.String()+",12500.25\n", "Vendor"); r.Unchanged["Vendor"] != 1 {
			t.Errorf("%+v", r)
		}
		r := back("v.csv", "id,custom.seats,Own audited b,custom.class,À nous portal\n"+ash.ID.String()+",many,2026-02-30,Secret,javascript:alert(1)\n", "Vendor")
		said := map[string]bool{}
		for _, f := range r.Faults {
			said[f.Column] = true
		}
		if r.Applied || len(said) != 4 || !said["custom.seats"] || !said["Own audited b"] || !said["À nous portal"] {
			t.Errorf("the faults are %+v", r.Faults)
		}
		r = back("v.csv", "id,custom.seats,custom.green,custom.remark\n"+ash.ID.String()+",\"13,000\",oui,\n", "Vendor")
		if !r.Applied || r.Updated["Vendor"] != 1 {
			t.Fatalf("%+v", r)
		}
		values["seats"] = "13000.00"
		delete(values, "remark")
		if got := w.s.Client.Vendor.GetX(testkit.System(), ash.ID).Custom; !maps.Equal(got, values) {
			t.Errorf("%v", got)
		}
		// what the rules say of a new row is a fault of the row, at the header of the file
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.CustomField.UpdateOneID(ids["seats"]).SetRequired(true).Exec(ctx)
		})
		r = back("v.csv", "name,Own seats b\nOak,\n", "Vendor")
		if r.Applied || len(r.Faults) != 1 || r.Faults[0].Column != "Own seats b" || r.Faults[0].Line != 2 {
			t.Errorf("%+v", r.Faults)
		}
		if list, err := custom.Of(testkit.System(), w.s, "Vendor"); err != nil || len(list) != 8 {
			t.Error(list, err)
		}
	})
}
