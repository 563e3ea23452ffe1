package upload_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"steward/ent"
	entjob "steward/ent/job"
	"steward/internal/area/contract"
	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
	"steward/internal/exchange/upload"
	"steward/internal/platform/i18n"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

var formats = importer.Formats{gcspending.Format{}, tabular.Format{}}

// desk is somebody who imports files, and the worker that does it.
type desk struct {
	t      *testing.T
	s      *store.Store
	ctx    context.Context // of paul
	worker *upload.Worker
}

func each(t *testing.T, f func(*desk)) {
	t.Helper()
	testkit.Databases(t, func(t *testing.T, s *store.Store) { f(newDesk(t, s)) })
}

func newDesk(t *testing.T, s *store.Store) *desk {
	t.Helper()
	contract.Install(s)
	var home ident.ID
	err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		home = c.Portfolio.Create().SetName("Common").SetKey("CC").SaveX(ctx).ID
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	paul := &viewer.Viewer{Kind: viewer.Person, ID: "per_paul", Name: "Paul", Roles: []string{"procurement-officer"}, Via: viewer.ViaPage, Lang: "en",
		Memberships: []viewer.Membership{{Scope: viewer.ScopePortfolio, ID: home, Level: viewer.LevelManager, PortfolioID: home}}}
	d := &desk{t: t, s: s, ctx: viewer.With(t.Context(), paul)}
	d.worker = &upload.Worker{Store: s, Formats: formats, Who: func(_ context.Context, was *viewer.Viewer) (*viewer.Viewer, error) {
		now := *was
		now.Memberships = paul.Memberships
		return &now, nil
	}}
	return d
}

// sent takes a file in.
func (d *desk) sent(name, content string) *ent.Upload {
	d.t.Helper()
	in := upload.Receive(nil, 1<<20)
	defer in.Close()
	if err := in.Add(d.ctx, name, strings.NewReader(content)); err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	look, err := in.Look(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	u, err := in.Keep(d.ctx, d.s, upload.Guess(formats, look, ""))
	if err != nil {
		d.t.Fatal(err)
	}
	return u
}

// work does the jobs that wait.
func (d *desk) work() {
	d.t.Helper()
	r := job.New(d.s, job.Config{Worker: "here", Kinds: []job.Kind{{Name: upload.Job, Do: d.worker.Do}}})
	for {
		worked, err := r.Once(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

func (d *desk) get(id ident.ID) *ent.Upload {
	d.t.Helper()
	u, err := upload.Get(d.ctx, d.s, id)
	if err != nil {
		d.t.Fatal(err)
	}
	return u
}

// checked has an upload checked and returns what was found.
func (d *desk) checked(u *ent.Upload) (*ent.Upload, upload.Result, *importer.Report) {
	d.t.Helper()
	if err := upload.Check(d.ctx, d.s, u.ID, u.Version, upload.PlanOf(u)); err != nil {
		d.t.Fatal(err)
	}
	d.work()
	u = d.get(u.ID)
	res := upload.ResultOf(u)
	if res.Report == nil {
		d.t.Fatalf("no report: %s %v", res.Error, res.Args)
	}
	rep, err := importer.Kept(res.Report)
	if err != nil {
		d.t.Fatal(err)
	}
	return u, res, rep
}

func (d *desk) count(table string) (n int) {
	d.t.Helper()
	if err := d.s.DB.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

// nothing makes sure that no row and no file is left of an import.
func (d *desk) nothing(uploads int) {
	d.t.Helper()
	for table, want := range map[string]int{"vendors": 0, "import_batches": 0, "uploads": uploads, "blobs": uploads} {
		if n := d.count(table); n != want {
			d.t.Errorf("%d %s, want %d", n, table, want)
		}
	}
}

const vendors = "Vendor name,Web\nAcme,https://acme.example\nBeta,https://beta.example\n"

// named maps the columns of vendors by hand, as nothing else would.
func (d *desk) named(u *ent.Upload) *ent.Upload {
	d.t.Helper()
	p := upload.Plan{Format: "csv", Settings: map[string]string{"entity": "Vendor"}, Mapping: map[string]string{"name": "Vendor name", "website": "Web"}}
	if err := upload.Save(d.ctx, d.s, u.ID, u.Version, p); err != nil {
		d.t.Fatal(err)
	}
	return d.get(u.ID)
}

func TestAFileBecomesRows(t *testing.T) {
	each(t, func(d *desk) {
		t := d.t
		u := d.named(d.sent("v.csv", vendors))
		u, res, rep := d.checked(u)
		if rep.Created["Vendor"] != 2 || rep.Rows != 2 || res.Counts["faults"] != 0 || !res.May(false) {
			t.Fatalf("%+v %+v", res, rep)
		}
		d.nothing(1)
		if err := upload.Apply(d.ctx, d.s, u.ID, u.Version-1, false, "shape"); errs.CodeOf(err) != errs.Conflict {
			t.Errorf("what was changed in another window is applied: %v", err)
		}
		if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, "shape"); err != nil {
			t.Fatal(err)
		}
		if err := upload.Apply(d.ctx, d.s, u.ID, d.get(u.ID).Version, false, "shape"); errs.CodeOf(err) != errs.State {
			t.Errorf("two jobs for one upload: %v", err)
		}
		if now, err := upload.StatusOf(d.ctx, d.s, d.get(u.ID)); err != nil || !now.Running || now.Step != "wait" {
			t.Errorf("%+v %v", now, err)
		}
		d.work()
		u = d.get(u.ID)
		if upload.ResultOf(u).Batch == "" || d.count("vendors") != 2 || d.count("import_batches") != 1 || d.count("blobs")+d.count("blob_chunks") != 0 {
			t.Errorf("%+v, %d vendors, %d blobs", upload.ResultOf(u), d.count("vendors"), d.count("blobs"))
		}
		if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, ""); errs.CodeOf(err) != errs.State {
			t.Errorf("applied twice: %v", err)
		}
		if list, err := upload.Waiting(d.ctx, d.s); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
		e := d.s.Client.ChangeEvent.Query().AllX(testkit.System())
		for _, x := range e {
			if x.EntityType == "Vendor" && (x.ActorName != "Paul" || x.Via != "IMPORT" || x.RequestID == "") {
				t.Errorf("the audit says %+v", x)
			}
		}
		// How the header was read is remembered, and undo does not stumble over that.
		m, err := upload.Remembered(d.ctx, d.s, upload.PlanOf(u), "shape")
		if err != nil || m["name"] != "Vendor name" {
			t.Errorf("%v %v", m, err)
		}
		if m, _ := upload.Remembered(d.ctx, d.s, upload.PlanOf(u), "other"); m != nil {
			t.Errorf("another header is known: %v", m)
		}
		b := d.s.Client.ImportBatch.Query().OnlyX(testkit.System())
		if ahead, err := importer.Foresee(d.ctx, d.s, b); err != nil || !ahead.May || ahead.Removed != 2 {
			t.Errorf("%+v %v", ahead, err)
		}
		if _, err := importer.Undo(d.ctx, d.s, b.ChangeSet); err != nil {
			t.Error(err)
		}
	})
}

// wide writes text as UTF-16 without a byte order mark.
func wide(text string) string {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune(text)) {
		_ = binary.Write(&b, binary.LittleEndian, u)
	}
	return b.String()
}

func TestTheFormatIsGuessed(t *testing.T) {
	d := newDesk(t, testkit.OpenURL(t, testkit.SQLiteURL(t)))
	for name, c := range map[string]struct{ content, format, entity string }{
		"vendors.csv": {"name,website\nAcme,\n", "csv", "Vendor"},
		"utf16.txt":   {wide("name\twebsite\r\nAcmé\t\r\n"), "csv", "Vendor"},
		"french.csv":  {"Nom;Site web\nAcm\xe9;\n", "csv", "Vendor"},
		"gc.csv":      {"fy_ef,organization_id,organization,program_id,program_name,planned_spending_1,actual_spending\n2020-21,1,Parks,A,Trails,5,4\n", "gc-planned-actual", ""},
		"other.csv":   {"x,y\n1,2\n", "csv", ""},
	} {
		u := d.sent(name, c.content)
		if p := upload.PlanOf(u); p.Format != c.format || p.Settings["entity"] != c.entity {
			t.Errorf("%s: %+v", name, p)
		}
		if err := upload.Discard(d.ctx, d.s, u.ID); err != nil {
			t.Fatal(err)
		}
	}
	d.nothing(0)
}

// Rows that are rejected come out as they went in, and in again once they are corrected.
func TestRejectedRowsComeBack(t *testing.T) {
	each(t, func(d *desk) {
		t := d.t
		u, res, rep := d.checked(d.sent("v.csv", "name,website\nAcme,https://acme.example\n,=1+1\n-Beta,not an address\n"))
		if res.Counts["faults"] != 3 || len(rep.Faults) != 3 || res.May(false) || !res.May(true) {
			t.Fatalf("%+v %+v", res, rep)
		}
		if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, ""); errs.CodeOf(err) != errs.State {
			t.Errorf("bad rows are applied: %v", err)
		}
		faults, err := upload.AllFaults(d.ctx, d.s, u)
		if err != nil || len(faults) != 3 {
			t.Fatalf("%v %v", faults, err)
		}
		var b strings.Builder
		p := upload.PlanOf(u)
		if err := importer.Reject(d.ctx, &b, tabular.Format{}, upload.Sources(d.ctx, d.s, u), p.Options(), faults, i18n.French); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if lines[0] != "steward: line,steward: reason,name,website" || !strings.HasPrefix(lines[1], "3,") || !strings.HasSuffix(lines[1], ",,'=1+1") || !strings.HasSuffix(lines[2], ",'-Beta,not an address") {
			t.Errorf("%q", lines)
		}
		if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, true, ""); err != nil {
			t.Fatal(err)
		}
		d.work()
		if d.count("vendors") != 1 || d.count("blobs") != 0 {
			t.Errorf("%d vendors, %d blobs", d.count("vendors"), d.count("blobs"))
		}
		better := strings.NewReplacer("not an address", "https://beta.example", ",,'=1+1", ",Gamma,").Replace(b.String())
		u, res, rep = d.checked(d.sent("again.csv", better))
		if res.Counts["faults"] != 0 || rep.Created["Vendor"] != 2 || len(rep.Warnings) != 0 {
			t.Fatalf("%+v %+v", rep.Faults, rep.Warnings)
		}
		if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, ""); err != nil {
			t.Fatal(err)
		}
		d.work()
		for _, name := range []string{"Acme", "-Beta", "Gamma"} {
			if n := 0; d.s.DB.QueryRow("SELECT COUNT(*) FROM vendors WHERE name = $1", name).Scan(&n) != nil || n != 1 {
				t.Errorf("%d vendors are called %s", n, name)
			}
		}
	})
}

// slow is a format whose first row waits to be told.
type slow struct {
	importer.Format
	reached, free chan bool
}

func (f slow) Open(o importer.Options) (importer.Parser, error) {
	p, err := f.Format.Open(o)
	return &slowly{p, f, false}, err
}

type slowly struct {
	importer.Parser
	slow slow
	gone bool
}

func (p *slowly) Row(r *importer.Row) {
	if !p.gone {
		p.gone = true
		p.slow.reached <- true
		<-p.slow.free
	}
	p.Parser.Row(r)
}

// What is stopped leaves nothing, whenever that is: before its turn, while it is read, in
// the last moment through another server, or because the file was given up (IM-4).
func TestCancelledLeavesNothing(t *testing.T) {
	each(t, func(d *desk) {
		t := d.t
		ready := func() *ent.Upload {
			u, _, _ := d.checked(d.named(d.sent("v.csv", vendors)))
			if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, ""); err != nil {
				t.Fatal(err)
			}
			return u
		}
		u := ready()
		if err := upload.Cancel(d.ctx, d.s, u.ID); err != nil {
			t.Fatal(err)
		}
		d.work()
		d.nothing(1)
		if res := upload.ResultOf(d.get(u.ID)); res.Report == nil {
			t.Error("what was checked is forgotten")
		}
		if err := upload.Discard(d.ctx, d.s, u.ID); err != nil {
			t.Fatal(err)
		}
		d.nothing(0)

		u = ready()
		x := slow{tabular.Format{}, make(chan bool), make(chan bool)}
		d.worker.Formats = importer.Formats{x}
		done := make(chan bool)
		go func() { d.work(); close(done) }()
		<-x.reached
		if now, err := upload.StatusOf(d.ctx, d.s, d.get(u.ID)); err != nil || !now.Running || now.Step != "read" {
			t.Errorf("%+v %v", now, err)
		}
		if err := upload.Cancel(d.ctx, d.s, u.ID); err != nil {
			t.Fatal(err)
		}
		close(x.free)
		<-done
		d.worker.Formats = formats
		d.nothing(1)
		if err := upload.Discard(d.ctx, d.s, u.ID); err != nil {
			t.Fatal(err)
		}

		// Another server has taken the job from the upload; this one hears of it at the end.
		u = ready()
		who := d.worker.Who
		d.worker.Who = func(ctx context.Context, was *viewer.Viewer) (*viewer.Viewer, error) {
			err := d.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
				return c.Upload.UpdateOneID(u.ID).ClearJobID().Exec(ctx)
			})
			v, werr := who(ctx, was)
			return v, errors.Join(err, werr)
		}
		d.work()
		d.worker.Who = who
		d.nothing(1)
		if n := d.s.Client.Job.Query().Where(entjob.StatusNEQ(entjob.StatusDONE)).CountX(testkit.System()); n != 0 {
			t.Errorf("%d jobs go on", n)
		}
		if err := upload.Discard(d.ctx, d.s, u.ID); err != nil {
			t.Fatal(err)
		}
		u = ready()
		if err := upload.Discard(d.ctx, d.s, u.ID); err != nil {
			t.Fatal(err)
		}
		d.work()
		d.nothing(0)
	})
}

// Somebody whose rights were taken away since gets nothing stored, and is told.
func TestRightsAreThoseOfTheMoment(t *testing.T) {
	each(t, func(d *desk) {
		t := d.t
		for _, who := range []func(*viewer.Viewer) (*viewer.Viewer, error){
			func(*viewer.Viewer) (*viewer.Viewer, error) {
				return nil, errs.New(errs.Unauthenticated, "auth.sign_in")
			},
			func(v *viewer.Viewer) (*viewer.Viewer, error) { v.Roles = nil; return v, nil },
		} {
			u, _, _ := d.checked(d.named(d.sent("v.csv", vendors)))
			if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, ""); err != nil {
				t.Fatal(err)
			}
			old := d.worker.Who
			d.worker.Who = func(_ context.Context, was *viewer.Viewer) (*viewer.Viewer, error) { return who(was) }
			d.work()
			d.worker.Who = old
			d.nothing(1)
			if res := upload.ResultOf(d.get(u.ID)); res.Error != "upload.error.rights" {
				t.Errorf("%+v", res)
			}
			if err := upload.Discard(d.ctx, d.s, u.ID); err != nil {
				t.Fatal(err)
			}
		}
		// Others have no uploads of Paul's, and the reader of nothing has none at all.
		u := d.sent("v.csv", vendors)
		for _, v := range []*viewer.Viewer{
			{Kind: viewer.Person, ID: "per_other", Roles: []string{"procurement-officer"}}, {Kind: viewer.Person, ID: "per_paul"},
			{Kind: viewer.Integration, ID: "per_paul", Roles: []string{"procurement-officer"}},
		} {
			ctx := viewer.With(t.Context(), v)
			_, err := upload.Get(ctx, d.s, u.ID)
			for what, err := range map[string]error{"get": err, "save": upload.Save(ctx, d.s, u.ID, u.Version, upload.PlanOf(u)), "check": upload.Check(ctx, d.s, u.ID, u.Version, upload.PlanOf(u)),
				"apply": upload.Apply(ctx, d.s, u.ID, u.Version, false, ""), "cancel": upload.Cancel(ctx, d.s, u.ID), "discard": upload.Discard(ctx, d.s, u.ID)} {
				if errs.CodeOf(err) != errs.CodeNotFound {
					t.Errorf("%s %s: %v", v.ID, what, err)
				}
			}
		}
	})
}

// A file that breaks off, is too large, or finds no room leaves nothing, and one sentence.
func TestNothingIsKeptOfWhatFails(t *testing.T) {
	each(t, func(d *desk) {
		t := d.t
		cut := io.MultiReader(strings.NewReader("name\nAc"), failing{})
		in := upload.Receive(nil, 1000)
		defer in.Close()
		if err := in.Add(d.ctx, "v.csv", cut); !errors.Is(err, errCut) {
			t.Errorf("cut off: %v", err)
		}
		if err := in.Add(d.ctx, "v.csv", strings.NewReader(strings.Repeat("name\n", 201))); errs.CodeOf(err) != errs.Limit {
			t.Errorf("too large: %v", err)
		}
		if in.Len() != 0 {
			t.Error("it was kept")
		}
		if _, err := in.Keep(d.ctx, d.s, upload.Plan{}); errs.CodeOf(err) != errs.Validation {
			t.Errorf("no file at all: %v", err)
		}
		for i := range upload.MaxFiles {
			if err := in.Add(d.ctx, fmt.Sprint(i, ".csv"), strings.NewReader("name\n")); err != nil {
				t.Fatal(err)
			}
		}
		if err := in.Add(d.ctx, "more.csv", strings.NewReader("name\n")); errs.CodeOf(err) != errs.Limit {
			t.Errorf("one file too many: %v", err)
		}
		d.nothing(0)
		for range upload.MaxWaiting {
			d.sent("v.csv", vendors)
		}
		if _, err := in.Keep(d.ctx, d.s, upload.Plan{Format: "csv"}); errs.CodeOf(err) != errs.Limit {
			t.Errorf("one upload too many: %v", err)
		}
		d.nothing(upload.MaxWaiting)
	})
}

var errCut = errors.New("cut")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// A disk that is full is said in words, and nothing is left of the file (IM-4).
func TestFullDisk(t *testing.T) {
	d := newDesk(t, testkit.OpenURL(t, testkit.SQLiteURL(t)))
	d.s.DB.SetMaxOpenConns(1) // the limit is the connection's
	var pages int
	if err := d.s.DB.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := d.s.DB.Exec(fmt.Sprint("PRAGMA max_page_count = ", pages+20)); err != nil {
		t.Fatal(err)
	}
	in := upload.Receive(nil, 1<<20)
	defer in.Close()
	if err := in.Add(d.ctx, "v.csv", strings.NewReader("name,website\n"+strings.Repeat("Acme,\n", 100_000))); err != nil {
		t.Fatal(err)
	}
	_, err := in.Keep(d.ctx, d.s, upload.Plan{Format: "csv"})
	if known := errs.As(store.Known(err)); known == nil || known.Key != "upload.error.full" || known.Code != errs.Unavailable {
		t.Errorf("%v", err)
	}
	d.nothing(0)
	if u := d.sent("small.csv", vendors); u.Name != "small.csv" {
		t.Error("a small file finds no room")
	}
}
