package job_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/ent/vendor"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// asWorker makes this test program a worker of the database it names, so that a test can stop and kill one.
const asWorker = "STEWARD_TEST_WORKER"

func TestMain(m *testing.M) {
	if url := os.Getenv(asWorker); url != "" {
		work(url)
		return
	}
	os.Exit(m.Run())
}

// shortLease is that of workers which are killed or stopped.
const shortLease = time.Second

// work is a worker whose jobs write a vendor, tell the test on standard output, and go on when it sends
// them a line.
func work(url string) {
	s, err := store.Open(context.Background(), url, store.Options{})
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	told := func(word string) { fmt.Println(word); lines.Scan() }
	job.New(s, job.Config{Worker: "child", Lease: shortLease, Poll: 20 * time.Millisecond, Kinds: []job.Kind{
		{Name: "halfway", Do: func(ctx context.Context, x *job.Run) error {
			if err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
				if err := c.Vendor.Create().SetName("first half").Exec(ctx); err != nil {
					return err
				}
				return x.Report(ctx, job.Progress{Done: 1, Total: 2})
			}); err != nil {
				return err
			}
			told("began")
			return nil
		}},
		// The two write when they have been woken up, in a context that the lost lease has not ended: what
		// refuses the one and lets the other through is the fence alone.
		{Name: "fenced", Do: func(ctx context.Context, x *job.Run) error {
			told("began")
			err := x.Tx(context.WithoutCancel(ctx), write("fenced"))
			told(fmt.Sprint("wrote ", err == nil, " ", errors.Is(err, job.ErrLost)))
			return err
		}},
		{Name: "unfenced", Do: func(ctx context.Context, _ *job.Run) error {
			told("began")
			err := s.Tx(context.WithoutCancel(ctx), write("unfenced"))
			told(fmt.Sprint("wrote ", err == nil, " ", errors.Is(err, job.ErrLost)))
			return err
		}},
	}}).Work(context.Background())
}

// write makes a vendor of that name.
func write(name string) func(context.Context, *ent.Client) error {
	return func(ctx context.Context, c *ent.Client) error { return c.Vendor.Create().SetName(name).Exec(ctx) }
}

// child is a worker in a process of its own.
type child struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func startChild(t *testing.T, s *store.Store) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(self)}
	c.Env = append(os.Environ(), asWorker+"="+s.URL)
	c.Stderr = t.Output()
	c.in, _ = c.StdinPipe()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c
}

// hears waits for the next line of the child.
func (c *child) hears(t *testing.T, want string) {
	t.Helper()
	if !c.out.Scan() || c.out.Text() != want {
		t.Fatalf("the worker says %q, not %q (%v)", c.out.Text(), want, c.out.Err())
	}
}

func (c *child) tell(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(c.in, "go on\n"); err != nil {
		t.Fatal(err)
	}
}

// runner is a worker in this process.
func runner(s *store.Store, kinds ...job.Kind) *job.Runner {
	return job.New(s, job.Config{Kinds: kinds, Worker: "here", Lease: time.Hour, Poll: 20 * time.Millisecond, Grace: 50 * time.Millisecond})
}

// begin lets a runner work until the test ends or the returned function is called.
func begin(t *testing.T, r *job.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { r.Work(ctx) })
	stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	t.Cleanup(stop)
	return stop
}

func enqueue(t *testing.T, s *store.Store, kind string, o job.Options) ident.ID {
	t.Helper()
	id, err := job.Enqueue(testkit.System(), s, kind, map[string]any{"n": 7}, o)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func get(s *store.Store, id ident.ID) *ent.Job { return s.Client.Job.GetX(testkit.System(), id) }

// until waits for a job to get into a state.
func until(t *testing.T, s *store.Store, id ident.ID, state entjob.Status) *ent.Job {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		x := get(s, id)
		if x.Status == state {
			return x
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job is %s, not %s: %s", x.Status, state, x.Error)
		}
	}
}

func vendors(s *store.Store, name string) int {
	return s.Client.Vendor.Query().Where(vendor.NameHasPrefix(name)).CountX(testkit.System())
}

// once makes one attempt with a runner and fails the test when none is due.
func once(t *testing.T, r *job.Runner) {
	t.Helper()
	if worked, err := r.Once(context.Background()); !worked || err != nil {
		t.Fatalf("no job was taken: %v", err)
	}
}

// due makes a job that waits for its next attempt due now.
func due(t *testing.T, s *store.Store, id ident.ID) {
	t.Helper()
	err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		return c.Job.UpdateOneID(id).SetRunAt(time.Now().UTC().Add(-time.Minute)).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func has(text, part string) bool { return strings.Contains(text, part) }
