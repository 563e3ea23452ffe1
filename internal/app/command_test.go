package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent/changeevent"
	"steward/internal/platform/store"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

func TestVersionAndSchema(t *testing.T) {
	var b struct{ Version, Commit, Date, Go string }
	if err := json.Unmarshal([]byte(must(t, "version", "--json")), &b); err != nil || b.Version == "" || !strings.HasPrefix(b.Go, "go1.") {
		t.Errorf("%+v %v", b, err)
	}
	if out := must(t, "version"); !strings.HasPrefix(out, "steward "+b.Version+"\n") {
		t.Errorf("version prints %q", out)
	}
	if sdl := must(t, "schema"); !strings.Contains(sdl, "createVendor(") || !strings.Contains(sdl, "type Query") {
		t.Errorf("schema prints %.300s", sdl)
	}
	if out := must(t, "serve", "--help"); !strings.Contains(out, "--demo") {
		t.Error("help is not on stdout")
	}
}

func TestExitCodes(t *testing.T) {
	database, file := testkit.SQLiteURL(t), filepath.Join(t.TempDir(), "vendors.csv")
	if err := os.WriteFile(file, []byte("name\nAlder\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]int{
		"fly":           2,
		"serve --wings": 2,
		"import nothing " + file + " --database " + database:                                           2,
		"import csv " + file + " --set entity=Nothing --database " + database:                          2,
		"import csv " + file + " --set entity=Vendor --portfolio PF-NONE --database " + database:       2,
		"import csv " + file + " --set entity=Vendor --database " + database:                           0,
		"import --undo chs_none --database " + database:                                                1,
		"token create --service x --role king --portfolio * --database " + database:                    2,
		"token create --service x --role viewer --portfolio PF-NONE --database " + database:            2,
		"token create --person nobody@x.example --role viewer --portfolio * --database " + database:    2,
		"token revoke tok_none --database " + database:                                                 1,
		"migrate --database postgres://nobody@127.0.0.1:1/none?sslmode=disable":                        1,
		"audit verify --database postgres://nobody@127.0.0.1:1/none?sslmode=disable&connect_timeout=2": 1,
	} {
		code, out, errs := run(t, strings.Fields(line)...)
		if code != want {
			t.Errorf("%s: exit %d, not %d: %s%s", line, code, want, out, errs)
		}
		if code != 0 && (!strings.HasPrefix(errs, "steward: ") || out != "") {
			t.Errorf("%s prints %q on stdout, %q on stderr", line, out, errs)
		}
	}
}

func TestMigrateStatus(t *testing.T) {
	database := "sqlite:" + t.TempDir() + "/new/steward.db"
	if code, out, _ := run(t, "migrate", "--status", "--database", database); code != 1 || !strings.Contains(out, "missing") {
		t.Errorf("before: exit %d, %s", code, out)
	}
	must(t, "migrate", "--database", database)
	if code, out, _ := run(t, "migrate", "--status", "--database", database); code != 0 || strings.Contains(out, "missing") || !strings.Contains(out, "init") {
		t.Errorf("after: exit %d, %s", code, out)
	}
	must(t, "migrate", "--database", database) // again changes nothing
}

func TestSeedCommand(t *testing.T) {
	database := "sqlite:" + t.TempDir() + "/steward.db"
	if out := must(t, "seed", "demo", "--database", database); !regexp.MustCompile(`(?m)^Portfolio +3$`).MatchString(out) {
		t.Errorf("seed prints %s", out)
	}
	if code, _, errs := run(t, "seed", "demo", "--database", database); code != 1 || !strings.Contains(errs, "empty") {
		t.Errorf("a second seed: exit %d, %s", code, errs)
	}
}

// TestTokenRoundTrip makes tokens beside a running server and uses them.
func TestTokenRoundTrip(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database)
		for _, c := range []struct {
			token string
			want  int
		}{{"", http.StatusUnauthorized}, {"stw_nonsense", http.StatusUnauthorized}} {
			if status, _, err := ask(http.DefaultClient, a.Addr(), c.token, `{ viewer { roles } }`, nil); err != nil || status != c.want {
				t.Errorf("with %q: %d %v", c.token, status, err)
			}
		}
		code, out, errs := run(t, "token", "create", "--service", "ledger", "--role", "portfolio-manager", "--role", "viewer", "--portfolio", "*", "--days", "30", "--database", database)
		secret := strings.TrimSpace(out)
		if code != 0 || !strings.HasPrefix(secret, "stw_") || strings.Count(out, "\n") != 1 || strings.Contains(errs, secret) {
			t.Fatalf("exit %d\n%s\n%s", code, out, errs)
		}
		status, data, err := ask(http.DefaultClient, a.Addr(), secret, `{ viewer { roles } portfolios { totalCount } }`, nil)
		if err != nil || status != http.StatusOK || !strings.Contains(data, `"portfolio-manager"`) || !strings.Contains(data, `"totalCount":0`) {
			t.Errorf("%d %s %v", status, data, err)
		}
		if status, data, err = ask(http.DefaultClient, a.Addr(), secret, `mutation { createVendor(input: {name: "Alder"}) { name version } }`, nil); err != nil || status != http.StatusOK || !strings.Contains(data, `"Alder"`) {
			t.Errorf("%d %s %v", status, data, err)
		}
		must(t, "token", "create", "--service", "ledger", "--role", "viewer", "--portfolio", "*", "--database", database)
		var rows []struct {
			ID, Owner, Kind, State string
			Roles, Portfolios      []string
			ExpiresAt              time.Time
		}
		list := must(t, "token", "list", "--json", "--database", database)
		if err := json.Unmarshal([]byte(list), &rows); err != nil || len(rows) != 2 {
			t.Fatalf("%v %s", err, list)
		}
		if strings.Contains(list, secret) || rows[0].Owner != "ledger" || rows[0].Kind != "service" || rows[0].State != "active" || rows[0].Portfolios[0] != "*" ||
			rows[0].ExpiresAt.After(time.Now().AddDate(0, 0, 31)) || rows[1].ExpiresAt.Before(time.Now().AddDate(0, 0, 89)) {
			t.Errorf("%s", list)
		}
		if n, err := a.Store().Client.Integration.Query().Count(testkit.System()); err != nil || n != 1 {
			t.Errorf("%d services, %v: a repeated name adds a token", n, err)
		}
		must(t, "token", "revoke", rows[0].ID, "--database", database)
		if status, _, err := ask(http.DefaultClient, a.Addr(), secret, `{ viewer { roles } }`, nil); err != nil || status != http.StatusUnauthorized {
			t.Errorf("a revoked token: %d %v", status, err)
		}
		if table := must(t, "token", "list", "--database", database); !strings.Contains(table, "revoked") {
			t.Errorf("%s", table)
		}
		events := a.Store().Client.ChangeEvent.Query().Where(changeevent.EntityType("ApiToken")).AllX(testkit.System())
		if len(events) == 0 || events[0].Via != changeevent.ViaCLI || events[0].OnBehalfOf == "" {
			t.Errorf("the audit says %+v", events)
		}
	})
}

// TestPersonToken makes a token of a demo person, who never gets more than their own rights.
func TestPersonToken(t *testing.T) {
	database := "sqlite:" + t.TempDir() + "/steward.db"
	a := start(t, database, "--demo") // only there do the demo people's identities mean anything
	secret := strings.TrimSpace(must(t, "token", "create", "--person", "PIA.portfolio@steward.example", "--role", "portfolio-manager", "--role", "app-admin",
		"--portfolio", "*", "--database", database))
	status, data, err := ask(http.DefaultClient, a.Addr(), secret, `{ viewer { person { name } roles portfolios { key } } }`, nil)
	if err != nil || status != http.StatusOK || !strings.Contains(data, "Pia Portfolio") || !strings.Contains(data, "PF-COMMON-COMPONENTS") ||
		strings.Contains(data, "PF-CIVIL-REGISTRATION") || strings.Contains(data, "app-admin") {
		t.Errorf("%d %s %v", status, data, err)
	}
}

// TestImportBesideTheServer runs scenario S1 by command while a server serves: dry run, apply, again, undo.
func TestImportBesideTheServer(t *testing.T) {
	file := filepath.Join(testkit.SharedData(t), "portfolio", "us-itdashboard", "projects-clean.csv")
	both(t, func(t *testing.T, database string) {
		a := start(t, database)
		secret := token(t, database, "auditor")
		type report struct {
			Applied                     bool
			ChangeSet                   string
			Rows                        int
			Created, Updated, Unchanged map[string]int
			Faults, Duplicates          []any
			Totals                      map[string]map[string]money.Amount
		}
		runs := func(more ...string) (r report) {
			t.Helper()
			line := append([]string{"import", "itdashboard-projects", file, "--json", "--database", database}, more...)
			code, out, errs := run(t, line...)
			if code != 0 || json.Unmarshal([]byte(out), &r) != nil {
				t.Fatalf("exit %d: %.500s %s", code, out, errs)
			}
			if !strings.Contains(errs, "import:") {
				t.Errorf("no progress on stderr: %q", errs)
			}
			return r
		}
		rows := func() string {
			t.Helper()
			status, data, err := ask(http.DefaultClient, a.Addr(), secret, `{ portfolios { totalCount } products { totalCount } initiatives { totalCount } }`, nil)
			if err != nil || status != http.StatusOK {
				t.Fatalf("%d %s %v", status, data, err)
			}
			return strings.Join(regexp.MustCompile(`\d+`).FindAllString(data, -1), " ")
		}
		if r := runs(); r.Applied || r.ChangeSet != "" || r.Rows != 2472 || rows() != "0 0 0" {
			t.Errorf("a dry run: %+v, then %s", r, rows())
		}
		r := runs("--apply")
		if !r.Applied || len(r.Faults) != 0 || len(r.Duplicates) != 4 || r.Created["Portfolio"] != 26 || r.Created["Product"] != 599 || r.Created["Initiative"] != 2468 ||
			r.Totals["planned"]["USD"].String() != "50301821979.00" || r.Totals["projected"]["USD"].String() != "51898206344.00" {
			t.Errorf("applied: %+v", r)
		}
		if rows() != "26 599 2468" {
			t.Errorf("the server shows %s", rows())
		}
		if again := runs("--apply"); len(again.Created)+len(again.Updated) != 0 || again.Unchanged["Initiative"] != 2468 {
			t.Errorf("a second run: %+v", again)
		}
		must(t, "import", "--undo", r.ChangeSet, "--database", database)
		if rows() != "0 0 0" {
			t.Errorf("after the undo the server shows %s", rows())
		}
		must(t, "audit", "verify", "--database", database)
	})
}

// TestFaultsExitOne: a file with a fault is exit 1 and stores nothing; --skip-faults stores the rest.
func TestFaultsExitOne(t *testing.T) {
	database, file := testkit.SQLiteURL(t), filepath.Join(t.TempDir(), "vendors.csv")
	if err := os.WriteFile(file, []byte("name,status\nAlder,ACTIVE\nBirch,SLEEPING\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	line := []string{"import", "csv", file, "--set", "entity=Vendor", "--database", database}
	for _, c := range []struct {
		more []string
		rows int
	}{{nil, 0}, {[]string{"--apply"}, 0}, {[]string{"--apply", "--skip-faults"}, 1}} {
		code, out, errs := run(t, append(line, c.more...)...)
		if code != 1 || !strings.Contains(out, "vendors.csv:3") || !strings.Contains(out, "SLEEPING") {
			t.Errorf("%v: exit %d\n%s%s", c.more, code, out, errs)
		}
		s := testkit.OpenURL(t, database)
		if n, err := s.Client.Vendor.Query().Count(testkit.System()); err != nil || n != c.rows {
			t.Errorf("%v: %d vendors, %v", c.more, n, err)
		}
	}
}

// TestAuditVerify waits for the server to seal, then breaks a row.
func TestAuditVerify(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database)
		secret := token(t, database, "portfolio-manager")
		for _, name := range []string{"Alder", "Birch", "Cedar"} {
			if status, data, err := ask(http.DefaultClient, a.Addr(), secret, `mutation($name: String!) { createVendor(input: {name: $name}) { id } }`, map[string]string{"name": name}); err != nil || status != http.StatusOK {
				t.Fatalf("%d %s %v", status, data, err)
			}
		}
		type result struct {
			Sealed, Unsealed  int
			Head, Broken, Why string
		}
		var r result
		verify := func() int {
			t.Helper()
			code, out, errs := run(t, "audit", "verify", "--json", "--database", database)
			r = result{}
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatalf("exit %d: %s%s", code, out, errs)
			}
			return code
		}
		for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(200 * time.Millisecond) {
			if code := verify(); code != 0 {
				t.Fatalf("exit %d: %+v", code, r)
			}
			if r.Sealed > 3 && r.Unsealed == 0 && len(r.Head) == 64 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the server does not seal: %+v", r)
			}
		}
		victim := a.Store().Client.ChangeEvent.Query().Where(changeevent.EntityType("Vendor")).Order(changeevent.ByID(sql.OrderDesc())).FirstX(testkit.System())
		tamper(t, a.Store(), string(victim.ID))
		if code := verify(); code != 1 || r.Broken != string(victim.ID) || r.Why != "altered" {
			t.Errorf("exit %d: %+v, altered was %s", code, r, victim.ID)
		}
		if code, _, errs := run(t, "audit", "verify", "--database", database); code != 1 || !strings.Contains(errs, string(victim.ID)) {
			t.Errorf("exit %d: %s", code, errs)
		}
	})
}

// tamper changes who made a change, as somebody with the database in their hands could.
func tamper(t *testing.T, s *store.Store, id string) {
	t.Helper()
	if _, err := s.DB.Exec(`UPDATE change_events SET actor_name = 'Somebody else' WHERE id = $1`, id); err != nil {
		t.Fatal(err)
	}
}
