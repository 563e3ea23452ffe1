package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/internal/area/budget"
	"steward/internal/platform/auth"
	"steward/internal/platform/backup"
	"steward/internal/platform/config"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
)

// What the doctor still finds healthy.
const (
	clockLimit  = 2 * time.Second
	sealsTested = 1000
	jobWait     = 5 * time.Minute
	backupAge   = 26 * time.Hour // a daily backup that took its time
)

// verdict is how a check came out. Only wrong makes the exit code 1.
type verdict string

const (
	fine    verdict = "ok"
	warning verdict = "warning"
	wrong   verdict = "wrong"
	unasked verdict = "unchecked" // another fault is in the way
)

// result is one line of the doctor: what was looked at, how it is and, where it is not well, what to do.
type result struct {
	Check  string  `json:"check"`
	Result verdict `json:"result"`
	Text   string  `json:"text"`
}

// doctor examines the configuration that the server would have and the database. It changes nothing.
type doctor struct {
	*config.Doctor
	now     func() time.Time
	room    int64 // bytes that must be free
	store   *store.Store
	results []result
}

// doctor prints one line for each check and fails when something is wrong.
func (c *command) doctor(ctx context.Context) error {
	d := &doctor{Doctor: &c.Command.Doctor, now: time.Now, room: 1 << 30}
	d.examine(scope.Elevate(asSystem(ctx)))
	return c.tell(d)
}

// tell prints what the doctor found.
func (c *command) tell(d *doctor) (err error) {
	if d.JSON {
		err = c.json(d.results)
	}
	bad := false
	for _, r := range d.results {
		bad = bad || r.Result == wrong
		if !d.JSON {
			_, err = fmt.Fprintf(c.out, "%-9s  %-17s  %s\n", strings.ToUpper(string(r.Result)), r.Check, r.Text)
		}
	}
	if err == nil && bad {
		return errFound
	}
	return err
}

func (d *doctor) examine(ctx context.Context) {
	d.add("configuration", d.configuration())
	d.add("free space", d.space())
	d.add("backups", d.newestBackup())
	d.add("identity provider", d.provider(ctx))
	d.add("database", d.open(ctx))
	if d.store != nil {
		defer d.store.Close()
	}
	d.add("key file", d.key(ctx))
	ready := d.store != nil
	for _, check := range []struct {
		name string
		ask  func(context.Context) answer
	}{{"database rights", d.rights}, {"clock", d.clock}, {"migrations", d.migrations}, {"audit", d.audit}, {"totals", d.totals}, {"jobs", d.jobs}} {
		if !ready {
			d.add(check.name, answer{unasked, "needs the database and its migrations"})
			continue
		}
		a := check.ask(ctx)
		d.add(check.name, a)
		ready = check.name != "migrations" || a.verdict == fine
	}
}

// answer is what a check says.
type answer struct {
	verdict verdict
	text    string
}

func well(format string, args ...any) answer { return answer{fine, fmt.Sprintf(format, args...)} }
func bad(format string, args ...any) answer  { return answer{wrong, fmt.Sprintf(format, args...)} }
func mind(format string, args ...any) answer { return answer{warning, fmt.Sprintf(format, args...)} }

// add notes an answer; one without a text has nothing to say.
func (d *doctor) add(check string, a answer) {
	if a.text != "" {
		d.results = append(d.results, result{check, a.verdict, strings.Join(strings.Fields(a.text), " ")})
	}
}

func (d *doctor) configuration() answer {
	switch {
	case len(d.Problems) > 0:
		return bad("serve would refuse: %s", strings.Join(d.Problems, "; "))
	case !d.Production:
		return well("nothing that serve refuses; --production, which is not set, refuses more")
	}
	return well("nothing that serve --production refuses")
}

// space looks where Steward itself writes: the embedded database and the backups.
func (d *doctor) space() answer {
	folders := map[string]int64{}
	if path, ok := d.Database.SQLite(); ok {
		folders[filepath.Dir(path)] = d.room
		if info, err := os.Stat(path); err == nil { // a migration may copy all of it
			folders[filepath.Dir(path)] = max(d.room, 2*info.Size())
		}
	}
	if d.Backups != "" {
		folders[d.Backups] = max(d.room, folders[d.Backups])
	}
	var said []string
	for folder, needed := range folders {
		free, err := backup.Free(folder)
		switch {
		case err != nil:
			return bad("%v", err)
		case free < needed:
			return bad("%s free at %s, which is less than %s: make room before the disk is full", size(free), folder, size(needed))
		}
		said = append(said, fmt.Sprintf("%s at %s", size(free), folder))
	}
	if len(said) == 0 {
		return well("Steward writes nothing to this machine's disks; --backups FOLDER looks at that of the backups")
	}
	slices.Sort(said)
	return well("%s", strings.Join(said, ", "))
}

func size(bytes int64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%d MB", bytes>>20)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/(1<<30))
}

func (d *doctor) newestBackup() answer {
	if d.Backups == "" {
		return answer{}
	}
	newest, err := backup.Newest(d.Backups)
	switch age := d.now().Sub(newest); {
	case err != nil:
		return bad("%v", err)
	case newest.IsZero():
		return bad("there is none in %s: run steward backup %s, every day", d.Backups, d.Backups)
	case age > backupAge:
		return bad("the newest in %s is %s old: see why steward backup no longer runs", d.Backups, age.Round(time.Hour))
	}
	return well("the newest is of %s", newest.Format("2006-01-02 15:04Z"))
}

// provider asks the identity provider who it is.
func (d *doctor) provider(ctx context.Context) answer {
	if d.OIDCIssuer == "" {
		return well("none is configured: people cannot sign in, API tokens work")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if _, err := oidc.NewProvider(oidc.ClientContext(ctx, client), d.OIDCIssuer); err != nil {
		return bad("%s cannot be used, nobody can sign in: %v. Compare --oidc-issuer with the issuer in its discovery document", d.OIDCIssuer, err)
	}
	return well("%s answers and calls itself so", d.OIDCIssuer)
}

// open connects to the database. A missing SQLite file is a fault: opening it would make one.
func (d *doctor) open(ctx context.Context) answer {
	if path, ok := d.Database.SQLite(); ok {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			return bad("there is none at %s: check --database, or run steward migrate", path)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s, err := connect(ctx, d.Database, store.Options{Pool: 2})
	if err != nil {
		return bad("%v. Check --database and that the server runs", err)
	}
	d.store = s
	return well("%s answers", s.Dialect)
}

// key reads the key file and tries it on something stored.
func (d *doctor) key(ctx context.Context) answer {
	file := keyFile(&d.Storage)
	_, sqlite := d.Database.SQLite()
	if file == "" {
		return bad("PostgreSQL needs --key-file")
	}
	if _, err := os.Stat(file); os.IsNotExist(err) && sqlite && d.KeyFile == "" && !d.hasSessions(ctx) {
		return well("%s is made when the server first starts", file)
	}
	keys, err := auth.ReadKeyring(file)
	if err != nil {
		return bad("%v. Put the copy of the key file back", err)
	}
	if d.store == nil {
		return well("%s can be read", file)
	}
	found, err := keys.CanRead(ctx, d.store)
	switch {
	case err != nil:
		return bad("%s: %v. Put the right key on its first line or below", file, err)
	case !found:
		return well("%s can be read; nothing is stored that it would have to decrypt", file)
	}
	return well("%s decrypts what is stored", file)
}

func (d *doctor) hasSessions(ctx context.Context) bool {
	if d.store == nil {
		return false
	}
	some, err := d.store.Client.Session.Query().Exist(ctx)
	return err != nil || some
}

func (d *doctor) rights(ctx context.Context) answer {
	if path, ok := d.Database.SQLite(); ok {
		return d.fileRights(path)
	}
	r, err := backup.RightsOf(ctx, d.store)
	switch {
	case err != nil:
		return bad("%v", err)
	case r.Superuser && d.Production:
		return bad("Steward connects as a superuser: give it a role of its own that owns nothing but its database")
	case r.Superuser:
		return mind("Steward connects as a superuser; production needs a role of its own")
	case len(r.Rewrites) > 0:
		return mind("the role can change rows of %s; sealing shows that, it does not prevent it", strings.Join(r.Rewrites, " and "))
	}
	return well("no superuser, and the record of changes can only grow")
}

// fileRights says who else on this machine can read the embedded database.
func (d *doctor) fileRights(path string) answer {
	file, err := os.Stat(path)
	if err != nil {
		return bad("%v", err)
	}
	dir, err := os.Stat(filepath.Dir(path))
	switch {
	case err != nil:
		return bad("%v", err)
	case file.Mode().Perm()&0o007 == 0 || dir.Mode().Perm()&0o001 == 0:
		return well("only its owner's account and group can open %s", path)
	case d.Production:
		return bad("every user of this machine can open %s: chmod 600, or chmod 700 its folder", path)
	}
	return mind("every user of this machine can open %s: chmod 600, or chmod 700 its folder", path)
}

func (d *doctor) clock(ctx context.Context) answer {
	if _, ok := d.Database.SQLite(); ok {
		return well("the database has this machine's clock")
	}
	ahead, err := backup.ClockOf(ctx, d.store, d.now)
	switch {
	case err != nil:
		return bad("%v", err)
	case ahead.Abs() >= clockLimit:
		return bad("the database's clock and this machine's differ by %s: let both follow a time server", ahead.Abs().Round(time.Millisecond))
	}
	return well("differs from the database's by %s", ahead.Abs().Round(time.Millisecond))
}

func (d *doctor) migrations(ctx context.Context) answer {
	list, err := store.Migrations(ctx, d.Database.URL())
	if err != nil {
		return bad("%v", err)
	}
	missing := 0
	for _, m := range list {
		if m.Applied.IsZero() {
			missing++
		}
	}
	if missing > 0 {
		return bad("%d of %d missing: run steward migrate", missing, len(list))
	}
	return well("all %d applied", len(list))
}

func (d *doctor) audit(ctx context.Context) answer {
	r, err := d.store.VerifyAuditTail(ctx, sealsTested)
	switch {
	case err != nil:
		return bad("%v", err)
	case r.Broken != "":
		return bad("the record of changes does not fit from here on: %s (%s). Run steward audit verify, and find out who wrote to the database", r.Broken, r.Why)
	}
	return well("the last %d seals fit, %d rows wait for theirs", r.Sealed, r.Unsealed)
}

func (d *doctor) totals(ctx context.Context) answer {
	off, err := budget.CheckTotals(ctx, d.store)
	switch {
	case err != nil:
		return bad("%v", err)
	case len(off) > 0:
		return bad("%d are not what they sum up, the first: %s. Report this: it is a fault of Steward, or somebody wrote to the database", len(off), off[0])
	}
	return well("every budget total is what it sums up")
}

// jobs looks for work that nobody does and for work that was given up.
func (d *doctor) jobs(ctx context.Context) answer {
	c := d.store.Client.Job
	now := d.now().UTC()
	dead, err := c.Query().Where(entjob.StatusEQ(entjob.StatusDEAD)).Count(ctx)
	if err != nil {
		return bad("%v", err)
	}
	oldest, err := c.Query().Where(entjob.StatusEQ(entjob.StatusREADY), entjob.RunAtLT(now)).Order(entjob.ByRunAt(), entjob.ByID()).First(ctx)
	switch {
	case err != nil && !ent.IsNotFound(err):
		return bad("%v", err)
	case err == nil && now.Sub(oldest.RunAt) > jobWait:
		return bad("%s (%s) has been waiting for %s: is a server running without --no-jobs?", oldest.ID, oldest.Kind, now.Sub(oldest.RunAt).Round(time.Second))
	case dead > 0:
		return bad("%d given up after their last attempt: see what their errors say, then run them again", dead)
	}
	return well("none waits for long, none was given up")
}
