package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/internal/platform/i18n"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/views/desk"
	"steward/views/layout"
	"steward/views/ui"
)

// jobsShown is how many jobs are on a page.
const jobsShown = 50

// jobsPage lists the background jobs of a state: those that have failed, unless another is asked for.
func (s *site) jobsPage(w http.ResponseWriter, r *http.Request) error {
	return s.showJobs(w, r, http.StatusOK)
}

func (s *site) showJobs(w http.ResponseWriter, r *http.Request, status int, banners ...ui.Notice) error {
	ctx := r.Context()
	lang, q := i18n.From(ctx), r.URL.Query()
	state := entjob.Status(q.Get("state"))
	if !slices.Contains(job.States, state) {
		state = entjob.StatusDEAD
	}
	counts, err := job.Counts(ctx, s.store)
	if err != nil {
		return err
	}
	list, err := job.List(ctx, s.store, state, ident.ID(q.Get("after")), jobsShown+1)
	if err != nil {
		return err
	}
	schedules, err := job.Schedules(ctx, s.store)
	if err != nil {
		return err
	}
	p := desk.Jobs{Label: i18n.T(lang, "job.state."+string(state)), Banners: banners, Schedules: scheduleTable(ctx, schedules),
		Blank: ui.Blank{Icon: "circle-check", Title: i18n.T(lang, "job.none."+string(state)), Text: i18n.T(lang, "job.none_text."+string(state))}}
	for _, each := range job.States {
		n := counts[each]
		p.States = append(p.States, ui.Tab{Label: i18n.T(lang, "job.state."+string(each)), Href: "/admin/jobs?state=" + string(each), Current: each == state, Count: &n})
	}
	if len(list) > jobsShown {
		list = list[:jobsShown]
		p.Next = "/admin/jobs?" + url.Values{"state": {string(state)}, "after": {list[jobsShown-1].ID.String()}}.Encode()
	}
	for _, x := range list {
		p.List = append(p.List, jobRow(ctx, x))
	}
	title := i18n.T(lang, "nav.jobs")
	return s.show(w, r, status, s.frame(r, title, layout.Crumb{Label: i18n.T(lang, "nav.section.admin")}, layout.Crumb{Label: title}), desk.JobsPage(p))
}

// jobKind names a kind of job in words; one that this version does not know keeps its own.
func jobKind(lang, kind string) string {
	if key := "job.kind." + kind; i18n.Has(lang, key) {
		return i18n.T(lang, key)
	}
	return kind
}

// errorShown is how much of an error the table shows before it is opened.
const errorShown = 160

func jobRow(ctx context.Context, x *ent.Job) desk.Job {
	lang := i18n.From(ctx)
	row := desk.Job{ID: x.ID.String(), Kind: jobKind(lang, x.Kind), Who: x.ActorName, Worker: x.Worker,
		Attempts: i18n.T(lang, "job.attempts_of", "tried", x.Attempts, "most", x.MaxAttempts)}
	switch {
	case x.EndedAt != nil:
		row.At = *x.EndedAt
	case x.Status == entjob.StatusRUNNING && x.StartedAt != nil:
		row.At = *x.StartedAt
	default:
		row.At = x.RunAt
	}
	row.When = i18n.Time(lang, row.At, i18n.Zone(ctx))
	done, _ := x.Progress["done"].(float64) // JSON has made floats of them
	total, _ := x.Progress["total"].(float64)
	if total > 0 {
		row.Done, row.Total = int(done), int(total)
		row.Progress = i18n.T(lang, "job.progress_of", "done", row.Done, "total", row.Total)
	}
	row.Error = x.Error
	if short := []rune(strings.SplitN(x.Error, "\n", 2)[0]); len(short) > errorShown {
		row.Error, row.Rest = string(short[:errorShown])+"…", x.Error
	} else if string(short) != x.Error {
		row.Error, row.Rest = string(short), x.Error
	}
	if x.Status == entjob.StatusDEAD {
		row.Again, row.GiveUp = "/admin/jobs/"+row.ID+"/again", "/admin/jobs/"+row.ID+"/give-up"
	}
	return row
}

// scheduleTable says when what happens by itself happens next.
func scheduleTable(ctx context.Context, list []*ent.JobSchedule) desk.Table {
	lang, zone := i18n.From(ctx), i18n.Zone(ctx)
	t := desk.Table{Label: i18n.T(lang, "job.schedules"), Heads: []string{i18n.T(lang, "job.kind"), i18n.T(lang, "job.next"), i18n.T(lang, "job.last")},
		Blank: ui.Blank{Icon: "calendar", Title: i18n.T(lang, "job.no_schedules"), Text: i18n.T(lang, "job.no_schedules_text")}}
	for _, x := range list {
		last := ui.None()
		if x.LastAt != nil {
			last = ui.Text(i18n.Time(lang, *x.LastAt, zone))
		}
		t.Rows = append(t.Rows, []ui.Component{ui.Text(jobKind(lang, x.Name)), ui.Text(i18n.Time(lang, x.NextAt, zone)), last})
	}
	return t
}

// runJobAgain has a job that failed for good tried anew.
func (s *site) runJobAgain(w http.ResponseWriter, r *http.Request) error {
	return s.decideJob(w, r, job.Again, "entity.job_again")
}

// giveJobUp deletes a job that failed for good.
func (s *site) giveJobUp(w http.ResponseWriter, r *http.Request) error {
	return s.decideJob(w, r, job.GiveUp, "entity.job_given_up")
}

// decideJob carries a decision out. Where somebody was quicker, the page as it is now says so.
func (s *site) decideJob(w http.ResponseWriter, r *http.Request, decide func(context.Context, *store.Store, ident.ID) error, said string) error {
	err := decide(r.Context(), s.store, ident.ID(r.PathValue("id")))
	wrong := errs.As(store.Known(err))
	switch {
	case err == nil:
		s.flash(w, said, "")
		return leave(w, r, "/admin/jobs")
	case wrong.Code != errs.State || fragment(r):
		return err
	}
	lang := i18n.From(r.Context())
	return s.showJobs(w, r, http.StatusConflict, ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: i18n.Error(lang, wrong), Alert: true})
}
