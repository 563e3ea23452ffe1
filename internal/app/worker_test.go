package app_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/job"
	"steward/ent/jobschedule"
	platform "steward/internal/platform/job"
	"steward/internal/testkit"
)

// workerLine is the command line of a worker: what flags says of a server without its site.
func workerLine(t *testing.T, database string, more ...string) []string {
	serve := flags(t, database)
	line := []string{"worker"}
	for i, word := range serve {
		if word == "--database" || word == "--key-file" {
			line = append(line, word, serve[i+1])
		}
	}
	return append(line, more...)
}

// TestWorker starts a worker beside a server that does no jobs, and stops it: the job is done by the worker
// alone, the audit is sealed, the metrics say so, and it ends well.
func TestWorker(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--no-jobs", "--ops-listen", "127.0.0.1:0")
		ctx, s := testkit.System(), a.Store()
		id, err := platform.Enqueue(ctx, s, "clean", nil, platform.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error { return c.Vendor.Create().SetName("x").Exec(ctx) }); err != nil {
			t.Fatal(err)
		}
		out := &lines{}
		c := program(t, out, workerLine(t, database, "--ops-listen", "127.0.0.1:0", "--parallel", "2")...)
		out.wait(t, `"msg":"working"`)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			x, sealed := s.Client.Job.GetX(ctx, id), s.Client.AuditSeal.Query().CountX(ctx)
			// jobs, seals and schedules are three loops of the worker: none waits for another
			schedules := s.Client.JobSchedule.Query().Where(jobschedule.NameIn("clean", "purge")).CountX(ctx)
			if x.Status == job.StatusDONE && sealed > 0 && schedules == 2 {
				if worker := "/" + strconv.Itoa(c.Process.Pid); !strings.HasSuffix(x.Worker, worker) {
					t.Errorf("done by %s, not by %s", x.Worker, worker)
				}
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the job is %s, %d changes are sealed, %d of two schedules are kept:\n%s", x.Status, sealed, schedules, out)
			}
		}
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("the worker ended with %v:\n%s", err, out)
		}
		out.wait(t, `"msg":"stopped"`)
		r, err := http.Get("http://" + a.OpsAddr() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		for _, want := range []string{`steward_job_queue_age_seconds{queue="jobs"} 0`, "steward_jobs_dead 0"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("no %s among the metrics of a server without jobs", want)
			}
		}
	})
}

// TestServerDoesJobs: a server does the jobs itself, and says so.
func TestServerDoesJobs(t *testing.T) {
	a := start(t, testkit.SQLiteURL(t), "--ops-listen", "127.0.0.1:0")
	id, err := platform.Enqueue(testkit.System(), a.Store(), "purge", nil, platform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r, err := http.Get("http://" + a.OpsAddr() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if strings.Contains(string(b), `steward_job_runs_total{job="purge",result="done"} 1`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job is %s", a.Store().Client.Job.GetX(testkit.System(), id).Status)
		}
	}
}
