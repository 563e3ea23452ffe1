package access_test

import (
	"context"
	"strings"
	"testing"

	"steward/ent"
	"steward/internal/rules/access"
	"steward/internal/rules/flow"
	"steward/internal/rules/viewer"
)

// verb is a mutation written by hand: what a call looks like in a house, and which
// rows of its record somebody may use it on. One line for each; a mutation of the
// schema without a line fails TestVerbs.
type verb struct {
	entity string
	input  func(w *world, r *row) map[string]any
	may    func(v *viewer.Viewer) access.Reach
	// person: never for tokens and integrations.
	person bool
	// service: only for integrations.
	service bool
	// fails is what those who may get all the same, as the world is: a rule of the
	// verb that is not about rights.
	fails string
	// creates is the type of record it makes, which is absent for those who read none.
	creates string
	// points: its input names a record of the other house.
	points string
}

// move is the verb that takes the fresh record of a type one step on.
func move(of string, m flow.Machine, to, note string) verb {
	from := m.Initial[0]
	step, ok := m.Find(from, to)
	if !ok {
		panic("no such move: " + of + " " + from + " " + to)
	}
	return verb{entity: of, person: step.Needs.Has(flow.Person),
		input: func(w *world, r *row) map[string]any {
			return map[string]any{"id": r.id, "to": to, "version": w.version(r), "note": note}
		},
		may: func(v *viewer.Viewer) access.Reach { return access.ForMove(v, of, step.Roles) },
	}
}

func writes(of string) func(*viewer.Viewer) access.Reach { return with(of, access.Write) }

func with(of string, l access.Letter) func(*viewer.Viewer) access.Reach {
	return func(v *viewer.Viewer) access.Reach { return access.For(v, of, l) }
}

var verbs = map[string]verb{
	"moveBudgetPlan":   move("BudgetPlan", flow.BudgetPlan, "SUBMITTED", ""),
	"moveProcurement":  move("Procurement", flow.Procurement, "IN_PREPARATION", ""),
	"moveContract":     move("Contract", flow.Contract, "UNDER_REVIEW", ""),
	"moveObjective":    move("Objective", flow.Objective, "ACTIVE", ""),
	"moveInitiative":   move("Initiative", flow.Initiative, "SUBMITTED", ""),
	"moveProductStage": move("Product", flow.ProductStage, "PROOF_OF_CONCEPT", "because"),
	"checkIn": {entity: "KeyResult", may: writes("KeyResult"), input: func(w *world, r *row) map[string]any {
		return map[string]any{"keyResultId": r.id, "value": "8", "confidence": 0.5, "on": "2026-03-01"}
	}},
	"setBudgetCells": {entity: "BudgetLine", may: writes("BudgetCell"), input: func(w *world, r *row) map[string]any {
		return map[string]any{"cells": []any{map[string]any{"lineId": r.id, "period": "2031-12", "field": "PLANNED", "amount": "5", "version": 0}}}
	}},
	"addComment": {entity: "Vendor", may: func(v *viewer.Viewer) access.Reach { return access.ForRecord(v, "Comment", "Vendor", access.Write) },
		input: func(w *world, r *row) map[string]any { return map[string]any{"subject": r.id, "body": "x"} }},
	// somebody else's remark is nobody's to change
	"editComment": {entity: "Vendor", may: func(*viewer.Viewer) access.Reach { return access.Reach{} },
		input: func(w *world, r *row) map[string]any {
			return map[string]any{"id": w.remarks[r.id], "version": 1, "body": "x"}
		}},
	"openFiscalYear": {entity: "Portfolio", creates: "FiscalPeriod", may: writes("FiscalPeriod"), input: func(w *world, r *row) map[string]any {
		return map[string]any{"portfolio": r.key, "fiscalYear": 2050}
	}},
	"closeFiscalPeriod": {entity: "FiscalPeriod", may: with("FiscalPeriod", access.Execute), person: true, fails: "STATE", input: func(w *world, r *row) map[string]any {
		return map[string]any{"id": r.id, "version": w.version(r)}
	}},
	"reopenFiscalPeriod": {entity: "FiscalPeriod", may: with("FiscalPeriod", access.Execute), person: true, fails: "STATE", input: func(w *world, r *row) map[string]any {
		return map[string]any{"id": r.id, "version": w.version(r)}
	}},
	"postActuals": {entity: "BudgetLine", may: writes("BudgetCell"), service: true, input: func(w *world, r *row) map[string]any {
		return map[string]any{"postings": []any{map[string]any{"lineId": r.id, "period": "2031-12", "amount": "5"}}}
	}},
	"tagRecords": {entity: "Contract", points: "Tag", may: writes("Contract"), input: func(w *world, r *row) map[string]any {
		return map[string]any{"records": []any{r.id}, "add": []any{w.first[r.house+"/Tag"].id}}
	}},
	"changeRecords": {entity: "Contract", may: writes("Contract"), input: func(w *world, r *row) map[string]any {
		return map[string]any{"change": "SET", "field": "reference", "value": "x", "rows": []any{map[string]any{"id": r.id, "version": w.version(r)}}}
	}},
	// from one portfolio of one's own to another: nobody here has two
	"moveProductToPortfolio": {entity: "Product", points: "Portfolio", may: func(v *viewer.Viewer) access.Reach { return access.Reach{} }, input: func(w *world, r *row) map[string]any {
		return map[string]any{"id": r.id, "portfolio": w.first[other[r.house]+"/Portfolio"].id, "version": w.version(r), "reason": "because"}
	}},
}

// apart are mutations about no record of the registry, with their arguments and what
// everybody is answered: administration, and what is somebody's own.
var apart = map[string]struct {
	args string
	want func(v *viewer.Viewer) string
}{
	"addWebhook": {`input:{name:"x",url:"https://x.example/",integrationId:"int_1"}`, ofHooks("VALIDATION")}, // no such service

	"rotateWebhookSecret":   {`input:{id:"whk_1"}`, ofHooks(absent)},
	"pauseWebhook":          {`input:{id:"whk_1"}`, ofHooks(absent)},
	"resumeWebhook":         {`input:{id:"whk_1"}`, ofHooks(absent)},
	"testWebhook":           {`input:{id:"whk_1"}`, ofHooks(absent)},
	"removeWebhook":         {`input:{id:"whk_1"}`, ofHooks(absent)},
	"replayWebhook":         {`input:{id:"whk_1",since:"2026-01-01T00:00:00Z"}`, ofHooks(absent)},
	"replayWebhookDelivery": {`input:{id:"whd_1"}`, ofHooks(absent)},
	"saveRetention": {`input:{version:1,classes:[{name:"jobs",days:8}]}`, func(v *viewer.Viewer) string {
		if access.May(v, "Setting", access.Write) {
			return fine
		}
		return absent
	}},
	"addCalendarFeed": {`input:{name:"x",kinds:["contracts"]}`, func(v *viewer.Viewer) string {
		if access.Bounded(v) {
			return forbidden
		}
		return fine
	}},
	"revokeCalendarFeed": {`input:{id:"cal_1"}`, func(v *viewer.Viewer) string {
		if access.Bounded(v) {
			return forbidden
		}
		return absent
	}},
	"saveView": {`input:{type:"Contract",name:"x",query:"q=x"}`, func(v *viewer.Viewer) string {
		if v.Kind == viewer.Person && access.May(v, "Contract", access.Read) {
			return fine
		}
		return absent
	}},
	"changeView":           {`input:{id:"svw_1",name:"x"}`, func(*viewer.Viewer) string { return absent }},
	"removeView":           {`input:{id:"svw_1"}`, func(*viewer.Viewer) string { return absent }},
	"readNotification":     {`input:{id:"ntf_1"}`, func(*viewer.Viewer) string { return absent }},
	"readAllNotifications": {``, func(*viewer.Viewer) string { return fine }},
}

// ofHooks is what changing webhooks answers: found says what administrators are told.
func ofHooks(found string) func(*viewer.Viewer) string {
	return func(v *viewer.Viewer) string {
		switch {
		case access.May(v, "Webhook", access.Write) && !access.Bounded(v):
			return found
		case access.May(v, "Webhook", access.Read):
			return forbidden
		}
		return absent
	}
}

// TestVerbsApart (AZ-1): these answer everybody as their line says.
func TestVerbsApart(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		before := w.dump()
		for name, x := range apart {
			if w.schema.Mutation.Fields.ForName(name) == nil {
				t.Errorf("%s is no mutation any more", name)
				continue
			}
			for _, p := range w.people {
				want := absent
				if p.v != nil {
					want = x.want(p.v)
				}
				if got := w.try(p.v, name, "", x.args); got != want {
					t.Errorf("%s, %s: %s, want %s", p.name, name, got, want)
				}
			}
		}
		differ(t, "after all that was refused or taken back", before, w.dump())
	})
}

// aside are mutations about no record: what their own tests in package graph say of who may.
var aside = map[string]bool{"undo": true, "storeDocument": true, "startExport": true}

// other is the house that a house knows nothing of.
var other = map[string]string{"ours": "theirs", "theirs": "ours"}

func (w *world) version(r *row) int { n, _ := r.e.Value(w.read(r), "version").(int); return n }

// TestVerbs (AZ-1, AZ-11): every mutation written by hand answers everybody, in both
// houses, as its line says: what cannot be read is absent.
func TestVerbs(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		for _, f := range w.schema.Mutation.Fields {
			if _, ok := verbs[f.Name]; !ok && !generated(f) && !aside[f.Name] && apart[f.Name].want == nil {
				t.Errorf("%s has no line: who may?", f.Name)
			}
		}
		before := w.dump()
		for name, x := range verbs {
			field := w.schema.Mutation.Fields.ForName(name)
			if field == nil {
				t.Errorf("%s is no mutation any more", name)
				continue
			}
			of := field.Arguments.ForName("input").Type.Name()
			for _, p := range w.people {
				for house := range strings.FieldsSeq(houses) {
					r := w.first[house+"/"+x.entity]
					in := x.input(w, r)
					in["idempotencyKey"] = w.fresh()
					got := w.try(p.v, name, "$in: "+of+"!", "input: $in", "in", in)
					place, want := r.place, absent
					if r.e.Name == "Portfolio" {
						place.Portfolio = r.id
					}
					switch {
					case p.v == nil || !sees(p.v, r):
					case x.creates != "" && !access.May(p.v, x.creates, access.Read):
					case x.points != "" && !sees(p.v, w.first[other[house]+"/"+x.points]):
					case x.person && access.Bounded(p.v) || x.service && p.v.Kind == viewer.Person || !x.may(p.v).Includes(place):
						want = forbidden
					case x.fails != "":
						want = x.fails
					default:
						want = fine
					}
					if got != want {
						t.Errorf("%s, %s in %s: %s, want %s", p.name, name, house, got, want)
					}
				}
			}
		}
		differ(t, "after all that was refused or taken back", before, w.dump())
	})
}

// TestUndoIsForWhoDidIt: a token of one person undoes nothing for another.
func TestUndoIsForWhoDidIt(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		pm, r := w.of(access.RolePortfolioManager).v, w.first["ours/Initiative"]
		var token string
		ctx := viewer.With(context.Background(), pm)
		token, err := w.s.Do(ctx, func(ctx context.Context, c *ent.Client) error {
			return c.Initiative.UpdateOneID(r.id).SetSummary("changed").Exec(ctx)
		})
		if err != nil || token == "" {
			t.Fatalf("%q %v", token, err)
		}
		before := w.dump()
		for _, p := range w.people {
			if p.v == nil || p.v.ID == pm.ID {
				continue
			}
			foreign, random := w.try(p.v, "undo", "$t: String!", "token: $t", "t", token), w.try(p.v, "undo", "$t: String!", "token: $t", "t", strings.Repeat("x", len(token)))
			if foreign == fine || foreign != random {
				t.Errorf("%s undoes another's change: %s, and of a token that never was %s", p.name, foreign, random)
			}
		}
		differ(t, "after all that was refused", before, w.dump())
		if got := w.try(pm, "undo", "$t: String!", "token: $t", "t", token); got != fine {
			t.Errorf("their own: %s", got)
		}
	})
}
