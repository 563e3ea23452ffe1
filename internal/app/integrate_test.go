package app_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"steward/internal/app"
	"steward/internal/testkit"
)

const (
	madeVendor = `mutation($n:String!){createVendor(input:{name:$n}){id}}`
	listen     = `subscription{changes(types:["Vendor"]){op node{... on Vendor{name}}}}`
)

// sse is an open stream of a server.
type sse struct {
	t     *testing.T
	in    *bufio.Reader
	close context.CancelFunc
	last  string // id of the last event
}

func openStream(t *testing.T, a *app.App, token, last string) *sse {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	body, _ := json.Marshal(map[string]any{"query": listen})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.Addr()+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != 200 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		b, _ := io.ReadAll(answer.Body)
		t.Fatalf("%d %s", answer.StatusCode, b)
	}
	return &sse{t: t, in: bufio.NewReader(answer.Body), close: cancel}
}

// next returns the kind of the next event and its data; signs of life are passed over.
func (s *sse) next() (kind, data string) {
	s.t.Helper()
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return "closed", err.Error()
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); {
		case name == "id":
			s.last = value
		case name == "event":
			kind = value
		case name == "data":
			data = value
		case line == "\n" && kind != "":
			return kind, data
		}
	}
}

// An edit in one server is seen in a stream of the other; when that one stops, its streams end and go on
// where they were on the first, with what happened meanwhile; and a token's end is the end of its streams.
func TestTwoServersOneFeed(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--replicas="+replicas(database))
		b := a
		if replicas(database) == "2" {
			b = start(t, database, "--replicas=2", "--no-jobs")
		}
		writer, reader := token(t, database, "portfolio-manager"), token(t, database, "portfolio-manager")
		create := func(name string) {
			t.Helper()
			if status, data, err := ask(http.DefaultClient, a.Addr(), writer, madeVendor, map[string]any{"n": name}); err != nil || !strings.Contains(data, "vnd_") {
				t.Fatal(status, data, err)
			}
		}
		s := openStream(t, b, reader, "")
		begun := time.Now()
		create("First")
		if kind, data := s.next(); kind != "next" || !strings.Contains(data, `"First"`) {
			t.Fatalf("%s %s", kind, data)
		}
		t.Logf("seen after %s", time.Since(begun))
		last := s.last
		if b != a {
			if err := b.Stop(context.Background()); err != nil {
				t.Errorf("the stop: %v", err)
			}
			if kind, _ := s.next(); kind != "complete" {
				t.Errorf("at the stop: %s", kind)
			}
		} else {
			s.close()
		}
		create("Meanwhile")
		s = openStream(t, a, reader, last)
		create("Second")
		for _, want := range []string{"Meanwhile", "Second"} {
			if kind, data := s.next(); kind != "next" || !strings.Contains(data, want) {
				t.Fatalf("want %s: %s %s", want, kind, data)
			}
		}
		var tokens []struct{ ID string }
		if err := json.Unmarshal([]byte(must(t, "token", "list", "--json", "--database", database)), &tokens); err != nil || len(tokens) != 2 {
			t.Fatal(err, tokens)
		}
		for _, x := range tokens {
			must(t, "token", "revoke", x.ID, "--database", database)
		}
		if kind, data := s.next(); kind != "next" || !strings.Contains(data, "UNAUTHENTICATED") {
			t.Errorf("after the token's end: %s %s", kind, data)
		}
		if kind, _ := s.next(); kind != "complete" {
			t.Errorf("then: %s", kind)
		}
	})
}

func replicas(database string) string {
	if strings.HasPrefix(database, "sqlite:") {
		return "1"
	}
	return "2"
}

// A bulk export from beginning to end, and the same from the command line.
func TestBulkExport(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database)
		key := token(t, database, "portfolio-manager")
		for i := range 3 {
			if _, data, err := ask(http.DefaultClient, a.Addr(), key, madeVendor, map[string]any{"n": fmt.Sprint("Vendor ", i)}); err != nil || !strings.Contains(data, "vnd_") {
				t.Fatal(data, err)
			}
		}
		_, data, err := ask(http.DefaultClient, a.Addr(), key, `mutation{startExport(types:["Vendor"]){id}}`, nil)
		if err != nil || !strings.Contains(data, "job_") {
			t.Fatal(data, err)
		}
		var made struct{ StartExport struct{ ID string } }
		if err := json.Unmarshal([]byte(data), &made); err != nil {
			t.Fatal(err)
		}
		id := made.StartExport.ID
		for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(data, `"DONE"`); time.Sleep(50 * time.Millisecond) {
			if _, data, err = ask(http.DefaultClient, a.Addr(), key, `query($i:ID!){export(id:$i){status error files{href rows}}}`, map[string]any{"i": id}); err != nil || time.Now().After(deadline) {
				t.Fatal(data, err)
			}
		}
		fetch := func(key, part string) (int, string) {
			r, _ := http.NewRequest(http.MethodGet, "http://"+a.Addr()+"/exports/"+id+"/Vendor.jsonl", nil)
			r.Header.Set("Authorization", "Bearer "+key)
			if part != "" {
				r.Header.Set("Range", part)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			b, _ := io.ReadAll(answer.Body)
			return answer.StatusCode, string(b)
		}
		status, whole := fetch(key, "")
		if status != 200 || strings.Count(whole, "\n") != 3 || !strings.Contains(whole, `"name":"Vendor 2"`) {
			t.Errorf("%d %s", status, whole)
		}
		if status, part := fetch(key, "bytes=5-"); status != http.StatusPartialContent || part != whole[5:] {
			t.Errorf("a part: %d %s", status, part)
		}
		if status, _ := fetch("stw_nobody", ""); status != 401 {
			t.Errorf("nobody: %d", status)
		}

		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		if got := must(t, "export", "jsonl", "--type", "Vendor", "--database", database); got != whole {
			t.Errorf("by command:\n%s\nby job:\n%s", got, whole)
		}
		must(t, "export", "jsonl", "--out", at("all"), "--database", database)
		if b, err := os.ReadFile(at("all/Vendor.jsonl")); err != nil || string(b) != whole {
			t.Error("the folder:", err, string(b))
		}
		must(t, "export", "jsonl", "--out", at("all.zip"), "--database", database)
		z, err := zip.OpenReader(at("all.zip"))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		if f, err := z.Open("Vendor.jsonl"); err != nil {
			t.Error(err)
		} else if b, _ := io.ReadAll(f); string(b) != whole {
			t.Error("the archive:", string(b))
		}
		if got := must(t, "export", "csv", "--type", "Vendor", "--database", database); strings.Count(got, "\n") != 4 || !strings.HasPrefix(got, "id,") || !strings.Contains(got, "Vendor 1") {
			t.Error("csv:", got)
		}
		must(t, "export", "xlsx", "--type", "Vendor", "--out", at("vendors.xlsx"), "--database", database)
		if x, err := os.Stat(at("vendors.xlsx")); err != nil || x.Size() < 1000 {
			t.Error("xlsx:", err)
		}
		for _, line := range [][]string{{"csv"}, {"jsonl", "--type", "Nothing"}, {"jsonl"}, {"yaml", "--type", "Vendor"}} {
			if code, _, said := run(t, append(append([]string{"export"}, line...), "--database", database)...); code != 2 {
				t.Errorf("%v: exit %d %s", line, code, said)
			}
		}
		if code, _, said := run(t, "export", "xlsx", "--type", "Vendor", "--out", at("vendors.xlsx"), "--database", database); code != 1 {
			t.Errorf("over a file that is there: exit %d %s", code, said)
		}
		n := a.Store().Client.ChangeEvent.Query().AllX(testkit.System())
		if strings.Count(fmt.Sprint(n), "Exported 3 rows.") < 5 {
			t.Error("the audit does not say what was taken out")
		}
	})
}
