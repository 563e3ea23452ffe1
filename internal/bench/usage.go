package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is the processor time of a process with its children, ended ones too, and its own memory in MiB.
func usage(pid int) (cpu time.Duration, memory float64) {
	var ticks, pages int64
	for _, p := range family(pid) {
		f := fields(p)
		if len(f) < 22 {
			continue
		}
		for _, i := range []int{11, 12, 13, 14} {
			n, _ := strconv.ParseInt(f[i], 10, 64)
			ticks += n
		}
		if p == pid {
			pages, _ = strconv.ParseInt(f[21], 10, 64)
		}
	}
	const tick = 10 * time.Millisecond // of every Linux that Go runs on
	return time.Duration(ticks) * tick, float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

// fields are those of /proc/PID/stat after the name.
func fields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

func family(pid int) []int {
	children := map[int][]int{}
	list, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range list {
		p, _ := strconv.Atoi(filepath.Base(dir))
		if f := fields(p); len(f) > 1 {
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], p)
		}
	}
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// postmasterOf returns the process that all connections descend from; the database is on this machine.
func postmasterOf(ctx context.Context, db *sql.DB) (int, error) {
	var backend int
	if err := db.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, err
	}
	f := fields(backend)
	if len(f) < 2 {
		return 0, fmt.Errorf("the database does not run on this machine")
	}
	return strconv.Atoi(f[1])
}
