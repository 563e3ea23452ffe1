package web_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// dead makes a job that has failed for good.
func (w *world) dead(kind, why string) *ent.Job {
	w.t.Helper()
	var x *ent.Job
	w.do(func(ctx context.Context, c *ent.Client) error {
		x = c.Job.Create().SetKind(kind).SetStatus(entjob.StatusDEAD).SetAttempts(5).SetError(why).SetWorker("machine-1/77").SetActorName("Pia").
			SetProgress(map[string]any{"done": 3, "total": 8}).SetEndedAt(time.Now().UTC()).SaveX(ctx)
		return nil
	})
	return x
}

func TestJobsPage(t *testing.T) {
	each(t, func(w *world) {
		p := w.get(w.ada, "/admin/jobs").want(200).page()
		p.WantHouseRules()
		p.Want("#jobs .empty", "No job has failed")
		p.Want("#schedules .empty", "No schedule yet")
		p.Want("nav a[href='/admin/jobs']", "Background jobs")
		again, gone := w.dead("clean", "no water"), w.dead("novel", strings.Repeat("a long story ", 40)+"\nthe end of it")
		w.do(func(ctx context.Context, c *ent.Client) error {
			c.Job.Create().SetKind("purge").SetStatus(entjob.StatusRUNNING).SetWorker("machine-2/5").SetStartedAt(time.Now().UTC()).SetAttempts(1).SaveX(ctx)
			return c.JobSchedule.Create().SetName("clean").SetNextAt(time.Now().UTC()).Exec(ctx)
		})
		p = w.get(w.ada, "/admin/jobs").want(200).page()
		p.WantHouseRules()
		p.Want("#"+again.ID.String(), "Clean up sessions and keys", "Pia", "5 of 5", "3 of 8", "machine-1/77", "no water")
		p.Want("#"+gone.ID.String()+" details", "the end of it")
		p.Want("#"+gone.ID.String(), "novel") // a kind of another version has no words
		p.Want("#schedules td", "Clean up sessions and keys")
		p.Want(".tabs a[aria-current=page]", "Failed", "2")
		p.WantAttr("#give-up-"+gone.ID.String()+"-form", "action", "/admin/jobs/"+gone.ID.String()+"/give-up")
		p = w.get(w.ada, "/admin/jobs?state=RUNNING").want(200).page()
		p.Want("#jobs", "Delete old jobs", "machine-2/5")
		p.WantNone("#jobs form")
		w.get(w.ada, "/admin/jobs?state=DONE").want(200).page().Want("#jobs .empty", "No job has ended lately")
		w.get(w.ada, "/admin/jobs?state=nonsense").want(200).page().Want("#"+gone.ID.String(), "novel")

		// nobody else has jobs, neither to see nor to decide about
		for _, v := range []*viewer.Viewer{w.pia, w.otto, w.fia, w.paul, w.eva, w.aud, w.vic, w.pat} {
			w.get(v, "/admin/jobs").want(404)
			w.get(v, "/").want(200).page().WantNone("nav a[href='/admin/jobs']")
			w.post(v, "/admin/jobs/"+again.ID.String()+"/again", url.Values{}).want(404)
			w.post(v, "/admin/jobs/"+again.ID.String()+"/give-up", url.Values{}).want(404)
		}
		w.post(w.ada, "/admin/jobs/"+again.ID.String()+"/again", url.Values{}, "Sec-Fetch-Site", "cross-site").want(403)
		if n := w.s.Client.Job.Query().Where(entjob.StatusEQ(entjob.StatusDEAD)).CountX(testkit.System()); n != 2 {
			t.Fatalf("%d jobs have failed", n)
		}

		a := w.post(w.ada, "/admin/jobs/"+again.ID.String()+"/again", url.Values{}).want(303)
		w.get(w.ada, a.Header.Get("Location"), "Cookie", a.Cookies()[0].Name+"="+a.Cookies()[0].Value).want(200).page().Want(".toast", "tried again")
		if x := w.s.Client.Job.GetX(testkit.System(), again.ID); x.Status != entjob.StatusREADY || x.Attempts != 0 {
			t.Errorf("%+v", x)
		}
		w.get(w.ada, "/admin/jobs?state=READY").want(200).page().Want("#"+again.ID.String(), "0 of 5")
		w.post(w.ada, "/admin/jobs/"+again.ID.String()+"/give-up", url.Values{}).want(409).page().Want(".banner.bad", "no longer waits for a decision")
		w.post(w.ada, "/admin/jobs/"+gone.ID.String()+"/give-up", url.Values{}).want(303)
		w.post(w.ada, "/admin/jobs/"+gone.ID.String()+"/give-up", url.Values{}).want(404)
		if w.s.Client.Job.Query().Where(entjob.ID(gone.ID)).ExistX(testkit.System()) {
			t.Error("the job that was given up is still there")
		}
		w.get(w.ada, "/admin/audit").want(200).page().Want("#events", "Job", "Ada")
		w.lang = "fr"
		p = w.get(w.ada, "/admin/jobs").want(200).page()
		p.Want("#jobs .empty", "Aucune tâche en échec")
		p.Want("#schedules td", "Nettoyer les sessions et les clés")
	})
}

// Older jobs are on the next page, each once.
func TestJobsPageGoesOn(t *testing.T) {
	each(t, func(w *world) {
		var ids []ident.ID
		for range 51 {
			ids = append(ids, w.dead("clean", "no water").ID)
		}
		slices.Sort(ids) // those of one millisecond are in no order
		first, last := ids[0], ids[50]
		p := w.get(w.ada, "/admin/jobs").want(200).page()
		p.Want("#"+last.String(), "no water")
		p.WantNone("#" + first.String())
		next := "/admin/jobs?after=" + ids[1].String() + "&state=DEAD"
		p.WantAttr("a[href^='/admin/jobs?after=']", "href", next)
		p = w.get(w.ada, next).want(200).page()
		p.Want("#"+first.String(), "no water")
		p.WantNone("a[href^='/admin/jobs?after=']")
	})
}
