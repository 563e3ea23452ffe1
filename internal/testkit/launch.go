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
// may run side by side. Data lives as long as the process, so nothing is synced to disk. Settings are
// PostgreSQL's, as "name=value", and win over those for tests.
func launch(settings ...string) (*PostgresServer, error) {
	s, err := folderFor(settings)
	if err != nil {
		return nil, err
	}
	err = s.tool("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	if err == nil {
		err = s.run()
	}
	if err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	return s, nil
}

// follow starts a server that is a copy of another and takes over what that one commits.
func follow(primary *PostgresServer, settings ...string) (*PostgresServer, error) {
	s, err := folderFor(settings)
	if err != nil {
		return nil, err
	}
	err = s.tool("pg_basebackup", "-D", s.data(), "-h", primary.dir, "-U", "postgres", "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
	if err == nil {
		err = s.run()
	}
	if err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	return s, nil
}

// folderFor makes the folder of a server, and that server without any data.
func folderFor(settings []string) (*PostgresServer, error) {
	tmp := "/tmp" // short: a socket's path holds at most 107 bytes
	sweep(tmp)
	dir, err := os.MkdirTemp(tmp, fmt.Sprintf("%s%d-", folder, os.Getpid()))
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{
		admin: "postgres://postgres@/postgres?" + url.Values{"host": {dir}, "sslmode": {"disable"}}.Encode(),
		dir:   dir, settings: settings, ready: map[string]bool{},
	}
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		uid, gid := 65534, 65534
		if u, err := user.Lookup("postgres"); err == nil {
			uid, _ = strconv.Atoi(u.Uid)
			gid, _ = strconv.Atoi(u.Gid)
		}
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *PostgresServer) data() string { return filepath.Join(s.dir, "data") }

// command is one of PostgreSQL's programs as the server's user runs it.
func (s *PostgresServer) command(name string, args ...string) (*exec.Cmd, error) {
	bin, err := program(name)
	if err != nil {
		return nil, err
	}
	c := exec.Command(bin, args...)
	c.Dir, c.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.as}
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	return c, nil
}

// tool runs one of PostgreSQL's programs to its end.
func (s *PostgresServer) tool(name string, args ...string) error {
	c, err := s.command(name, args...)
	if err != nil {
		return err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// run starts the server on its data and waits until it answers.
func (s *PostgresServer) run() error {
	args := []string{"-D", s.data(), "-k", s.dir}
	for _, setting := range append([]string{"listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"shared_buffers=64MB", "max_connections=120", "autovacuum=off", "timezone=UTC"}, s.settings...) {
		args = append(args, "-c", setting)
	}
	server, err := s.command("postgres", args...)
	if err != nil {
		return err
	}
	var log bytes.Buffer
	server.Stderr = &log
	// the kernel ends the server when the thread that started it ends, so also after a panic or kill -9
	server.SysProcAttr.Pdeathsig = syscall.SIGQUIT
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
		return err
	}
	s.process, s.stopped = server.Process, stopped
	err = s.connect(func() error {
		select {
		case <-stopped:
			return fmt.Errorf("postgres stopped at once:\n%s", log.String())
		default:
			return nil
		}
	})
	if err != nil {
		s.Stop()
	}
	return err
}

// children are the processes that a process has started.
func children(pid int) (list []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		after := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(after) > 1 && after[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			list = append(list, child)
		}
	}
	return list
}
