package store_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/testkit"
)

// TestAFrozenServerDoesNotHoldRequests is SEC-R19: a PostgreSQL that accepts and
// never answers. The driver alone would wait for ever, whatever the context says.
func TestAFrozenServerDoesNotHoldRequests(t *testing.T) {
	if testkit.OnlySQLite() {
		return
	}
	p := testkit.StartPostgres(t)
	url := p.FreshDB(t, "")
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url, store.Options{Statement: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := s.Client.Vendor.Query().CountX(testkit.System()); n != 0 {
		t.Fatal(n)
	}
	all := append(children(t, p.Process().Pid), p.Process().Pid)
	signal(t, all, syscall.SIGSTOP)
	began := time.Now()
	_, err = s.Client.Vendor.Query().Count(testkit.System())
	took := time.Since(began)
	signal(t, all, syscall.SIGCONT)
	if err == nil || errs.CodeOf(store.Known(err)) != errs.Unavailable {
		t.Errorf("the query answered %v", err)
	}
	if took > 5*time.Second {
		t.Errorf("the query waited %s", took)
	}
	for range 50 {
		if _, err = s.Client.Vendor.Query().Count(testkit.System()); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("the pool did not heal: %v", err)
}

func signal(t *testing.T, pids []int, sig syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}

// children returns the processes started by pid.
func children(t *testing.T, pid int) (out []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			out = append(out, child)
		}
	}
	return out
}
