package web_test

import (
	"context"
	"net/url"
	"testing"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/importbatch"
	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

const spending = "fy_ef,organization_id,organization,program_id,program_name,planned_spending_1,planned_spending_2,actual_spending,planned_ftes_1\n"

// imported takes rows in as the person and returns the import and the path of its report.
func (w *world) imported(v *viewer.Viewer, f importer.Format, content string, set ...string) (*ent.ImportBatch, string) {
	w.t.Helper()
	o := importer.Options{Apply: true, SkipFaults: true, Set: map[string]string{}}
	for i := 0; i+1 < len(set); i += 2 {
		o.Set[set[i]] = set[i+1]
	}
	if f.Name() != "csv" {
		o.Portfolio = "CC"
	}
	ctx := viewer.With(context.Background(), v)
	report, err := importer.Run(ctx, w.s, f, []importer.File{importer.Bytes("file.csv", []byte(content))}, o)
	if err != nil || !report.Applied {
		w.t.Fatalf("%v %+v", err, report)
	}
	b := w.s.Client.ImportBatch.Query().Where(importbatch.ChangeSet(report.ChangeSet)).OnlyX(testkit.System())
	return b, "/admin/imports/" + b.ID.String()
}

func TestImportIsTakenBack(t *testing.T) {
	each(t, func(w *world) {
		b, path := w.imported(w.pia, gcspending.Format{}, spending+"2020-21,1,Parks,A,Trails,5,,4,2\n2020-21,1,Parks,B,Lakes,6,,,\n")
		p := w.get(w.pia, path).want(200).page()
		p.WantHouseRules()
		p.Want(".pagehead button[data-open=take-back]", "Take this import back")
		p.Want("#take-back", "The 5 records it created are removed.") // a plan, two lines, two amounts
		p.WantAttr("#take-back-form", "action", path+"/undo")
		p.Want("#counts td", "Budget lines")

		// Who reads imports but may not write what this one wrote has no button, and no other way.
		for _, v := range []*viewer.Viewer{w.aud, w.paul, w.eva} {
			w.get(v, path).want(200).page().WantNone("[data-open=take-back]")
			w.post(v, path+"/undo", url.Values{}).want(403)
		}
		w.post(w.vic, path+"/undo", url.Values{}).want(404)
		w.ask(w.pia, "GET", path+"/undo", nil).want(404)
		w.post(w.pia, path+"/undo", url.Values{}, "Sec-Fetch-Site", "cross-site").want(403)
		if n := w.s.Client.BudgetLine.Query().CountX(testkit.System()); n != 3 {
			t.Fatalf("%d lines", n)
		}

		a := w.post(w.pia, path+"/undo", url.Values{}).want(303)
		p = w.get(w.pia, a.Header.Get("Location"), "Cookie", a.Cookies()[0].Name+"="+a.Cookies()[0].Value).want(200).page()
		p.Want(".toast", "The import was taken back")
		p.Want(".banner", "Taken back by Pia")
		p.Want(".badge", "Taken back")
		p.WantNone("[data-open=take-back]")
		if n := w.s.Client.BudgetLine.Query().CountX(testkit.System()); n != 1 {
			t.Errorf("%d lines are left", n)
		}
		w.post(w.pia, path+"/undo", url.Values{}).want(409).page().Want(".banner.bad", "taken back already")
		w.get(w.pia, "/admin/imports").want(200).page().Want("tr", "Taken back")
		if n := w.s.Client.ChangeEvent.Query().Where(changeevent.Undoes(b.ChangeSet), changeevent.Reason("")).CountX(testkit.System()); n != 6 {
			t.Errorf("%d changes are marked as the undo, not the five removals and the import's own", n)
		}
		w.lang = "fr"
		w.get(w.pia, path).want(200).page().Want(".banner", "Annulée par Pia")
	})
}

func TestImportIsNotTakenBackOverLaterChanges(t *testing.T) {
	each(t, func(w *world) {
		_, path := w.imported(w.pia, gcspending.Format{}, spending+"2020-21,1,Parks,A,Trails,5,,4,2\n2020-21,1,Parks,B,Lakes,6,,,\n")
		w.do(func(ctx context.Context, c *ent.Client) error {
			for _, l := range c.BudgetLine.Query().AllX(ctx) {
				if l.Name == "Trails" {
					return c.BudgetLine.UpdateOne(l).SetName("Trails and huts").Exec(ctx)
				}
			}
			return nil
		})
		p := w.post(w.pia, path+"/undo", url.Values{}).want(409).page()
		p.WantHouseRules()
		p.Want(".banner.bad", "One record has changed since the import", "Budget line “Trails and huts”")
		p.Want("[data-open=take-back]") // once the reason is gone
		if n := w.s.Client.BudgetLine.Query().CountX(testkit.System()); n != 3 {
			t.Errorf("%d lines: something was taken back", n)
		}
		w.lang = "fr"
		w.post(w.pia, path+"/undo", url.Values{}).want(409).page().Want(".banner.bad", "Un enregistrement a changé", "«\u00a0Trails and huts\u00a0»")
	})
}

// Rows of a format that goes through the rules are archived, and changed ones set back.
func TestGuardedImportIsTakenBack(t *testing.T) {
	each(t, func(w *world) {
		_, path := w.imported(w.paul, tabular.Format{}, "name,website\nAcme,https://acme.example\n", "entity", "Vendor")
		w.get(w.paul, path).want(200).page().Want("#take-back", "The record it created is archived.")
		w.post(w.paul, path+"/undo", url.Values{}).want(303)
		_, path = w.imported(w.paul, tabular.Format{}, "id,name\n"+w.vendor.ID.String()+",OptIT Inc.\n", "entity", "Vendor")
		w.get(w.paul, path).want(200).page().Want("#take-back", "The record it changed is set back")
		w.post(w.paul, path+"/undo", url.Values{}).want(303)
		w.get(w.aud, "/admin/audit").want(200).page().Want("tr", "took a change back")
		if got := w.reload(); got.Name != "OptIT" {
			t.Errorf("the name is %s", got.Name)
		}
	})
}

// The report says in the reader's language which rows were left out, and why.
func TestImportReport(t *testing.T) {
	each(t, func(w *world) {
		_, path := w.imported(w.pia, gcspending.Format{}, spending+"2020-21,1,Parks,A,Trails,5,,4,2\n2020-21,1,Parks,B,Lakes,see note,,,\n")
		p := w.get(w.pia, path).want(200).page()
		p.Want("#warnings tr", "3", "planned_spending_1 “see note”: not an amount")
		w.lang = "fr"
		w.get(w.pia, path).want(200).page().Want("#warnings tr", "planned_spending_1 «\u00a0see note\u00a0»")
	})
}
