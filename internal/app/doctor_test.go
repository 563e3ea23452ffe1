package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/internal/area/budget"
	"steward/internal/platform/auth"
	"steward/internal/platform/config"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// patient is a healthy installation: a database of either kind with a sealed record and a key that fits.
type patient struct {
	t     *testing.T
	store *store.Store
	url   string
	key   string
}

func newPatient(t *testing.T, s *store.Store) *patient {
	t.Helper()
	p := &patient{t, s, s.URL, filepath.Join(t.TempDir(), "key")}
	p.newKey()
	budget.Install(s)
	p.write(func(ctx context.Context, c *ent.Client) error {
		home, err := c.Portfolio.Create().SetName("Home").SetKey("home").Save(ctx)
		if err == nil {
			err = c.BudgetPlan.Create().SetName("Home 2026").SetPortfolioID(home.ID).SetFiscalYear(2026).Exec(ctx)
		}
		return err
	})
	for n, err := s.Seal(t.Context()); n > 0 || err != nil; n, err = s.Seal(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *patient) write(do func(context.Context, *ent.Client) error) {
	p.t.Helper()
	if err := p.store.Tx(scope.Elevate(testkit.System()), do); err != nil {
		p.t.Fatal(err)
	}
}

func (p *patient) exec(q string) {
	p.t.Helper()
	if _, err := p.store.DB.Exec(q); err != nil {
		p.t.Fatalf("%s: %v", q, err)
	}
}

// newKey replaces the key file.
func (p *patient) newKey() *auth.Keyring {
	p.t.Helper()
	if err := os.Remove(p.key); err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	keys, err := auth.MakeKeyring(p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return keys
}

// visit examines the patient; change, where given, sets what the doctor goes by. It returns the lines by the
// name of the check and whether the exit code is 1.
func (p *patient) visit(change func(*doctor), flags ...string) (lines map[string]result, failed bool) {
	p.t.Helper()
	cmd, err := config.Parse(append([]string{"doctor", "--json", "--database", p.url, "--key-file", p.key}, flags...), io.Discard)
	if err != nil {
		p.t.Fatal(err)
	}
	d := &doctor{Doctor: &cmd.Doctor, now: time.Now}
	if change != nil {
		change(d)
	}
	d.examine(scope.Elevate(testkit.System()))
	var out bytes.Buffer
	err = (&command{Command: cmd, out: &out, err: io.Discard}).tell(d)
	if err != nil && !errors.Is(err, errFound) {
		p.t.Fatal(err)
	}
	var printed []result
	if e := json.Unmarshal(out.Bytes(), &printed); e != nil || len(printed) != len(d.results) {
		p.t.Fatalf("%v %s", e, &out)
	}
	lines = map[string]result{}
	for _, r := range printed {
		lines[r.Check] = r
	}
	return lines, err != nil
}

// ill expects that one check, and no other, is wrong and says text.
func (p *patient) ill(check, text string, change func(*doctor), flags ...string) {
	p.t.Helper()
	lines, failed := p.visit(change, flags...)
	if got := lines[check]; got.Result != wrong || !strings.Contains(got.Text, text) || !failed {
		p.t.Errorf("%s: %+v, failed %t, want %q", check, got, failed, text)
	}
	for name, r := range lines {
		if name != check && r.Result == wrong {
			p.t.Errorf("with a fault in %s, %s is wrong too: %s", check, name, r.Text)
		}
	}
}

// healthy expects no fault.
func (p *patient) healthy(flags ...string) map[string]result {
	p.t.Helper()
	lines, failed := p.visit(nil, flags...)
	for name, r := range lines {
		if failed && r.Result == wrong || r.Result == unasked {
			p.t.Errorf("%s: %+v", name, r)
		}
	}
	return lines
}

// issuer answers the discovery of an identity provider that calls itself name, or by its own address.
func issuer(t *testing.T, name string) string {
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name == "" {
			name = s.URL
		}
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%[2]q,"jwks_uri":%[2]q}`, name, s.URL)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestDoctor (OP-11): a healthy installation passes, and each fault has its line and exit code 1.
func TestDoctor(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		p := newPatient(t, s)
		for _, check := range []string{"configuration", "free space", "identity provider", "database", "key file", "database rights", "clock", "migrations", "audit", "totals", "jobs"} {
			if lines := p.healthy(); lines[check].Text == "" {
				t.Errorf("no line for %s", check)
			}
		}
		p.ill("configuration", "--listen :8080 reaches other machines", nil, "--listen", ":8080")

		t.Setenv("STEWARD_OIDC_CLIENT_SECRET", "k3Jd82hsk29sKd02")
		if lines := p.healthy("--oidc-issuer", issuer(t, "")); !strings.Contains(lines["identity provider"].Text, "calls itself so") {
			t.Errorf("%+v", lines["identity provider"])
		}
		p.ill("identity provider", "http://another.example", nil, "--oidc-issuer", issuer(t, "http://another.example"))
		p.ill("identity provider", "nobody can sign in", nil, "--oidc-issuer", "http://127.0.0.1:1/realms/none")

		folder := t.TempDir()
		p.ill("backups", "there is none in", nil, "--backups", folder)
		var quiet bytes.Buffer
		if code := Run(t.Context(), []string{"backup", folder, "--database", p.url}, &quiet, &quiet); code != 0 {
			t.Fatal(quiet.String())
		}
		p.healthy("--backups", folder)
		later := func(d *doctor) { d.now = func() time.Time { return time.Now().Add(48 * time.Hour) } }
		if lines, failed := p.visit(later, "--backups", folder); !failed || !strings.Contains(lines["backups"].Text, "48h0m0s old") {
			t.Errorf("an old backup: %+v", lines["backups"])
		}
		p.ill("free space", "make room", func(d *doctor) { d.room = 1 << 60 }, "--backups", folder)

		// keys
		if err := os.Chmod(p.key, 0o604); err != nil {
			t.Fatal(err)
		}
		if lines, failed := p.visit(nil); !failed || lines["key file"].Result != wrong || !strings.Contains(lines["key file"].Text, "by everybody") {
			t.Errorf("an open key file: %+v", lines["key file"])
		}
		if err := os.Remove(p.key); err != nil {
			t.Fatal(err)
		}
		if lines, failed := p.visit(nil); !failed || !strings.Contains(lines["key file"].Text, "Put the copy of the key file back") {
			t.Errorf("no key file: %+v", lines["key file"])
		}
		keys := p.newKey()
		p.write(func(ctx context.Context, c *ent.Client) error {
			who := c.Person.Create().SetName("Pia").SetEmail("pia@x.example").SaveX(ctx)
			id := ident.New("ses")
			return c.Session.Create().SetID(id).SetPersonID(who.ID).SetTokenHash("x").SetAuthTime(time.Now()).SetLastSeenAt(time.Now()).SetIdpCheckedAt(time.Now()).
				SetExpiresAt(time.Now().Add(time.Hour)).SetIDToken(keys.Seal([]byte("secret"), "session id "+id.String())).Exec(ctx)
		})
		if lines := p.healthy(); !strings.Contains(lines["key file"].Text, "decrypts what is stored") {
			t.Errorf("%+v", lines["key file"])
		}
		p.newKey()
		p.ill("key file", "written with another key", nil)
		p.exec("DELETE FROM sessions")

		// jobs
		p.write(func(ctx context.Context, c *ent.Client) error {
			return c.Job.Create().SetKind("report").SetRunAt(time.Now().UTC().Add(-time.Hour)).Exec(ctx)
		})
		p.ill("jobs", "(report) has been waiting for 1h0m", nil)
		p.exec("UPDATE jobs SET status = 'DEAD'")
		p.ill("jobs", "1 given up", nil)
		p.exec("DELETE FROM jobs WHERE status = '" + string(entjob.StatusDEAD) + "'")

		// data
		p.exec("UPDATE budget_plans SET planned_total = 10000")
		p.ill("totals", "planned_total is 1.00, what it sums up comes to nothing", nil)
		p.exec("UPDATE budget_plans SET planned_total = NULL")
		p.exec("UPDATE change_events SET actor_name = 'x' || actor_name WHERE entity_type = 'BudgetPlan'")
		p.ill("audit", "(altered)", nil)
		p.exec("UPDATE change_events SET actor_name = substr(actor_name, 2) WHERE entity_type = 'BudgetPlan'")

		p.healthy()
		if s.Dialect == dialect.Postgres {
			p.ill("clock", "differ by 3", func(d *doctor) { d.now = func() time.Time { return time.Now().Add(3 * time.Second) } })
		}

		p.exec("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
		p.ill("migrations", "missing: run steward migrate", nil)
		if lines, _ := p.visit(nil); lines["audit"].Result != unasked {
			t.Errorf("the audit is looked at although migrations are missing: %+v", lines["audit"])
		}

		whole := p.url
		p.url = "postgres://nobody@127.0.0.1:1/none?sslmode=disable"
		if s.Dialect == dialect.SQLite {
			p.url = "sqlite:" + filepath.Join(t.TempDir(), "no", "folder", "steward.db")
		}
		p.ill("database", "--database", nil)
		if path, ok := strings.CutPrefix(p.url, "sqlite:"); ok {
			if _, err := os.Stat(path); err == nil {
				t.Error("the doctor has made a database")
			}
		}
		p.url = whole
	})
}

// TestDoctorReadsRights: who may read the embedded database, and as whom Steward connects to the other.
func TestDoctorReadsRights(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		p := newPatient(t, s)
		rights := func(want verdict, text string, flags ...string) {
			t.Helper()
			lines, _ := p.visit(nil, flags...)
			if got := lines["database rights"]; got.Result != want || !strings.Contains(got.Text, text) {
				t.Errorf("%q: %+v, want %s and %q", flags, got, want, text)
			}
		}
		if path, ok := strings.CutPrefix(p.url, "sqlite:"); ok {
			rights(fine, "only its owner")
			if err := errors.Join(os.Chmod(path, 0o644), os.Chmod(filepath.Dir(path), 0o755)); err != nil {
				t.Fatal(err)
			}
			rights(warning, "every user of this machine")
			rights(wrong, "every user of this machine", "--production")
			return
		}
		var super bool
		if err := s.DB.QueryRowContext(t.Context(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user").Scan(&super); err != nil {
			t.Fatal(err)
		}
		if !super { // the owner of the tables, as in production
			rights(warning, "can change rows of audit_seals and change_events")
			p.exec("REVOKE UPDATE, DELETE, TRUNCATE ON audit_seals, change_events FROM CURRENT_USER")
			rights(fine, "can only grow")
			return
		}
		rights(warning, "superuser")
		rights(wrong, "superuser", "--production")
		role := "clerk_" + strings.ToLower(string(ident.New("x")))[2:]
		p.exec("CREATE ROLE " + role + " LOGIN")
		t.Cleanup(func() { p.exec("DROP OWNED BY " + role); p.exec("DROP ROLE " + role) })
		p.exec("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + role)
		p.url = strings.Replace(p.url, "postgres://postgres@", "postgres://"+role+"@", 1)
		rights(warning, "can change rows of audit_seals and change_events")
		p.exec("REVOKE UPDATE, DELETE ON audit_seals, change_events FROM " + role)
		rights(fine, "can only grow")
	})
}
