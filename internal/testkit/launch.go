package testkit

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// program finds a program of PostgreSQL's: in PG_BIN, on PATH, or where Debian keeps it, newest first.
func program(name string) (string, error) {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		return filepath.Join(dir, name), nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", fmt.Errorf("%s is not on PATH, not under /usr/lib/postgresql and PG_BIN is not set; scripts/setup-test.sh installs it", name)
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) > version(found[j]) })
	return found[0], nil
}

const folder = "steward-pgtest-"

// sweep removes the folders of test processes that are no longer there (their servers died with them).
func sweep(tmp string) {
	old, _ := filepath.Glob(filepath.Join(tmp, folder+"*"))
	for _, dir := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), folder), "-")
		n, err := strconv.Atoi(pid)
		if err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			_ = os.RemoveAll(dir)
		}
	}
}

// launch starts a server in a new folder, reachable over a Unix socket only: no port, so any number
// may run side by side. Data lives as long as the process, so nothing is synced to disk.
func launch() (*PostgresServer, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := program("postgres")
	if err != nil {
		return nil, err
	}
	tmp := "/tmp" // short: a socket's path holds at most 107 bytes
	sweep(tmp)
	dir, err := os.MkdirTemp(tmp, fmt.Sprintf("%s%d-", folder, os.Getpid()))
	if err != nil {
		return nil, err
	}
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		uid, gid := 65534, 65534
		if u, err := user.Lookup("postgres"); err == nil {
			uid, _ = strconv.Atoi(u.Uid)
			gid, _ = strconv.Atoi(u.Gid)
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	command := func(bin string, args ...string) *exec.Cmd {
		c := exec.Command(bin, args...)
		c.Dir, c.SysProcAttr = dir, attr
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
		"--no-sync", "--no-instructions").CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("%s: %w\n%s", initdb, err, out)
	}
	server := command(postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off",
		"-c", "full_page_writes=off", "-c", "shared_buffers=64MB", "-c", "max_connections=120", "-c", "autovacuum=off", "-c", "timezone=UTC")
	var log bytes.Buffer
	server.Stderr = &log
	// the kernel ends the server when the thread that started it ends, so also after a panic or kill -9
	server.SysProcAttr = &syscall.SysProcAttr{Credential: attr.Credential, Pdeathsig: syscall.SIGQUIT}
	started, stopped := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := server.Start()
		started <- err
		if err == nil {
			_ = server.Wait()
			close(stopped)
		}
	}()
	if err := <-started; err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("%s: %w", postgres, err)
	}
	s := &PostgresServer{
		admin: "postgres://postgres@/postgres?" + url.Values{"host": {dir}, "sslmode": {"disable"}}.Encode(),
		dir:   dir, process: server.Process, stopped: stopped, ready: map[string]bool{},
	}
	err = s.connect(func() error {
		select {
		case <-stopped:
			return fmt.Errorf("%s stopped at once:\n%s", postgres, log.String())
		default:
			return nil
		}
	})
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}
