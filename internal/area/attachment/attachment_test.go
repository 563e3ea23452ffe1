package attachment_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/area/attachment"
	"steward/internal/platform/scan"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func as(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

type world struct {
	*testing.T
	s                                    *store.Store
	home, away                           *ent.Portfolio
	product, other                       *ent.Product
	vendor, rival                        *ent.Vendor
	contract, theirs                     *ent.Contract
	initiative                           *ent.Initiative
	manager, owner, reader, partner, far context.Context
}

func each(t *testing.T, test func(w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := &world{T: t, s: s}
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			w.home, w.away = c.Portfolio.Create().SetName("Home").SaveX(ctx), c.Portfolio.Create().SetName("Away").SaveX(ctx)
			w.product = c.Product.Create().SetName("P").SetPortfolioID(w.home.ID).SaveX(ctx)
			w.other = c.Product.Create().SetName("Q").SetPortfolioID(w.home.ID).SaveX(ctx)
			w.vendor, w.rival = c.Vendor.Create().SetName("OptIT").SaveX(ctx), c.Vendor.Create().SetName("Rival").SaveX(ctx)
			w.contract = c.Contract.Create().SetName("C").SetPortfolioID(w.home.ID).SetVendorID(w.vendor.ID).AddProductIDs(w.product.ID).SaveX(ctx)
			w.theirs = c.Contract.Create().SetName("D").SetPortfolioID(w.home.ID).SetVendorID(w.rival.ID).SaveX(ctx)
			w.initiative = c.Initiative.Create().SetName("I").SetPortfolioID(w.home.ID).SetProductID(w.product.ID).SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		at := func(p *ent.Portfolio, l viewer.Level) viewer.Membership {
			return viewer.Membership{Scope: viewer.ScopePortfolio, ID: p.ID, Level: l}
		}
		w.manager = as("Pia", "portfolio-manager", at(w.home, viewer.LevelManager))
		w.owner = as("Otto", "product-owner", viewer.Membership{Scope: viewer.ScopeProduct, ID: w.product.ID, Level: viewer.LevelOwner, PortfolioID: w.home.ID})
		w.reader = as("Vic", "viewer", at(w.home, viewer.LevelViewer))
		w.partner = as("Pat", "partner", viewer.Membership{Scope: viewer.ScopeVendor, ID: w.vendor.ID, Level: viewer.LevelPartner})
		w.far = as("Far", "portfolio-manager", at(w.away, viewer.LevelManager))
		test(w)
	})
}

func (w *world) add(on ident.ID, name, content string) *ent.Attachment {
	w.Helper()
	x, err := attachment.Add(w.manager, w.s, nil, on, name, strings.NewReader(content))
	if err != nil {
		w.Fatal(err)
	}
	return x
}

func content(ctx context.Context, s *store.Store, id ident.ID) (string, error) {
	_, r, err := attachment.Open(ctx, s, id)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// Who changes the record adds files, who reads it fetches them, and for all others
// there are neither.
func TestReachedAsTheRecordIs(t *testing.T) {
	each(t, func(w *world) {
		all := map[string]context.Context{"manager": w.manager, "owner": w.owner, "reader": w.reader, "partner": w.partner, "far": w.far}
		for _, c := range []struct {
			on            ident.ID
			reads, writes string
		}{
			{w.product.ID, "manager owner reader", "manager owner"}, {w.contract.ID, "manager owner partner", "manager"}, {w.theirs.ID, "manager", "manager"},
			{w.initiative.ID, "manager owner reader", "manager owner"}, {w.vendor.ID, "manager owner reader partner far", "manager far"},
		} {
			x := w.add(c.on, "a.txt", "secret")
			for name, ctx := range all {
				want := errs.CodeNotFound
				if strings.Contains(c.reads, name) {
					want = ""
				}
				text, err := content(ctx, w.s, x.ID)
				files, lerr := attachment.List(ctx, w.s, c.on)
				if errs.CodeOf(err) != want || errs.CodeOf(lerr) != want || want == "" && (text != "secret" || len(files.List) != 1) {
					t.Errorf("%s reads %s: %v, %v, %d files", name, c.on, err, lerr, len(files.List))
				}
				may := strings.Contains(c.writes, name)
				if want == "" && files.Writable != may {
					t.Errorf("%s on %s: writable is %v", name, c.on, files.Writable)
				}
				if want = errs.CodeNotFound; strings.Contains(c.reads, name) {
					want = errs.CodeForbidden
				}
				if may {
					continue
				}
				if _, err := attachment.Add(ctx, w.s, nil, c.on, "b.txt", strings.NewReader("x")); errs.CodeOf(err) != want {
					t.Errorf("%s adds to %s: %v", name, c.on, err)
				}
				if _, err := attachment.Remove(ctx, w.s, x.ID); errs.CodeOf(err) != want {
					t.Errorf("%s removes from %s: %v", name, c.on, err)
				}
			}
			if x.SubjectID != c.on || x.ActorName != "Pia" || x.Size != 6 || x.Status != "READY" || x.MediaType != "text/plain" {
				t.Errorf("kept as %+v", x)
			}
		}
		for _, on := range []ident.ID{"prd_X", "rgr_X", "nonsense"} {
			if _, err := attachment.Add(w.manager, w.s, nil, on, "b.txt", strings.NewReader("x")); errs.CodeOf(err) != errs.CodeNotFound {
				t.Errorf("%s: %v", on, err)
			}
		}
	})
}

// The right is asked when the file is fetched, not when it came (UP-3).
func TestTheRightIsAskedEachTime(t *testing.T) {
	each(t, func(w *world) {
		x := w.add(w.initiative.ID, "a.txt", "secret")
		if _, err := content(w.owner, w.s, x.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Initiative.UpdateOneID(w.initiative.ID).SetProductID(w.other.ID).Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		moved := as("Otto", "product-owner", viewer.Membership{Scope: viewer.ScopeProduct, ID: w.other.ID, Level: viewer.LevelOwner, PortfolioID: w.home.ID})
		if _, err := content(moved, w.s, x.ID); err != nil {
			t.Errorf("the owner of the product it lies in now: %v", err)
		}
		if _, err := content(w.owner, w.s, x.ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("the owner of the product it lay in: %v", err)
		}
		revoked := as("Vic", "viewer")
		if _, err := content(revoked, w.s, x.ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("without a membership: %v", err)
		}
	})
}

func TestRemoveAndRestore(t *testing.T) {
	each(t, func(w *world) {
		x := w.add(w.product.ID, "a.txt", "secret")
		if _, err := attachment.Restore(w.manager, w.s, x.ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("one that is there: %v", err)
		}
		if _, err := attachment.Remove(w.manager, w.s, x.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := content(w.manager, w.s, x.ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("a removed one: %v", err)
		}
		if files, _ := attachment.List(w.manager, w.s, w.product.ID); len(files.List) != 0 {
			t.Errorf("%d files", len(files.List))
		}
		if _, err := attachment.Restore(w.reader, w.s, x.ID); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("a reader restores: %v", err)
		}
		if _, err := attachment.Restore(w.owner, w.s, x.ID); err != nil {
			t.Fatal(err)
		}
		if text, err := content(w.reader, w.s, x.ID); text != "secret" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		// the record's history tells it, with who
		var told []string
		for _, e := range w.s.Client.ChangeEvent.Query().Where(changeevent.EntityID(w.product.ID), changeevent.OpEQ("EVENT")).Order(changeevent.ByID()).AllX(testkit.System()) {
			told = append(told, e.ActorName+": "+e.Reason)
		}
		if got := strings.Join(told, "; "); got != "Pia: File added: a.txt; Pia: File removed: a.txt; Otto: File brought back: a.txt" {
			t.Error(got)
		}
		// what was removed long ago is deleted
		if _, err := attachment.Remove(w.manager, w.s, x.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := attachment.Sweep(testkit.System(), w.s, time.Now().Add(-attachment.KeptFor)); n != 0 || err != nil {
			t.Errorf("at once: %d, %v", n, err)
		}
		if _, err := attachment.Sweep(w.manager, w.s, time.Now()); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("a person sweeps: %v", err)
		}
		if n, err := attachment.Sweep(testkit.System(), w.s, time.Now().Add(time.Hour)); n != 1 || err != nil {
			t.Errorf("afterwards: %d, %v", n, err)
		}
		if n := w.s.Client.BlobChunk.Query().CountX(testkit.System()); n != 0 {
			t.Errorf("%d chunks are left", n)
		}
	})
}

func TestLimits(t *testing.T) {
	each(t, func(w *world) {
		if _, err := attachment.Add(w.manager, w.s, nil, w.product.ID, "big.txt", strings.NewReader(strings.Repeat("x", attachment.MaxSize+1))); errs.CodeOf(err) != errs.Limit {
			t.Errorf("a byte too many: %v", err)
		}
		if _, err := attachment.Add(w.manager, w.s, nil, w.product.ID, "none.txt", strings.NewReader("")); errs.CodeOf(err) != errs.Validation {
			t.Errorf("nothing: %v", err)
		}
		for i := range attachment.MaxFiles - 2 {
			w.add(w.product.ID, fmt.Sprint(i, ".txt"), "x")
		}
		if n := w.atOnce(6, func(i int) error {
			_, err := attachment.Add(w.manager, w.s, nil, w.product.ID, "p.txt", strings.NewReader("x"))
			return err
		}); n != 2 {
			t.Errorf("%d of 6 parallel files found one of 2 places", n)
		}
		read := false
		_, err := attachment.Add(w.manager, w.s, nil, w.product.ID, "x.txt", reader(func() { read = true }))
		if errs.CodeOf(err) != errs.Limit || read {
			t.Errorf("one too many: %v, read: %v", err, read)
		}
		// and room for two bytes more in the portfolio, whatever the record
		if _, err := w.s.DB.Exec("UPDATE attachments SET size = $1 WHERE name = '0.txt'", int64(attachment.MaxPortfolio-attachment.MaxFiles-1)); err != nil {
			t.Fatal(err)
		}
		on := []ident.ID{w.other.ID, w.contract.ID, w.initiative.ID, w.theirs.ID}
		if n := w.atOnce(4, func(i int) error {
			_, err := attachment.Add(w.manager, w.s, nil, on[i], "p.txt", strings.NewReader("x"))
			return err
		}); n != 2 {
			t.Errorf("%d of 4 parallel files found one of 2 bytes", n)
		}
		if n := w.s.Client.Blob.Query().CountX(testkit.System()); n != attachment.MaxFiles+2 {
			t.Errorf("%d contents for %d files", n, attachment.MaxFiles+2)
		}
		w.add(w.vendor.ID, "v.txt", "lies in no portfolio")
	})
}

type reader func()

func (r reader) Read([]byte) (int, error) { r(); return 0, io.EOF }

// atOnce calls f n times in parallel and returns how many went through; others
// must have met a limit.
func (w *world) atOnce(n int, f func(i int) error) int {
	var wg sync.WaitGroup
	failed := make([]error, n)
	for i := range n {
		wg.Go(func() { failed[i] = f(i) })
	}
	wg.Wait()
	done := 0
	for _, err := range failed {
		if err == nil {
			done++
		} else if errs.CodeOf(err) != errs.Limit {
			w.Error(err)
		}
	}
	return done
}

func TestScanner(t *testing.T) {
	each(t, func(w *world) {
		d := testkit.StartClamd(t, "tcp", "127.0.0.1:0")
		scanner := scan.New("tcp", d.Address())
		add := func(name, text string) *ent.Attachment {
			t.Helper()
			x, err := attachment.Add(w.manager, w.s, scanner, w.product.ID, name, strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		if x := add("clean.txt", "hello"); x.Status != "READY" {
			t.Errorf("a clean one is %s", x.Status)
		}
		bad := add("bad.txt", testkit.EICAR)
		if bad.Status != "QUARANTINED" || bad.Finding != "Eicar-Signature" {
			t.Errorf("an infected one is %s, %q", bad.Status, bad.Finding)
		}
		if _, err := content(w.manager, w.s, bad.ID); errs.As(err) == nil || errs.As(err).Key != "attachment.quarantined" {
			t.Errorf("it is served: %v", err)
		}
		d.Stop()
		held, infected := add("held.txt", "hello"), add("held2.txt", testkit.EICAR)
		if _, err := content(w.manager, w.s, held.ID); errs.As(err) == nil || errs.As(err).Key != "attachment.held" {
			t.Errorf("an unchecked one is served: %v", err)
		}
		if n, err := attachment.Rescan(testkit.System(), w.s, scanner); n != 0 || err == nil {
			t.Errorf("without a scanner %d were checked, %v", n, err)
		}
		again := testkit.StartClamd(t, "tcp", "127.0.0.1:0")
		big := w.held("big.txt", strings.Repeat("x", testkit.ClamdMax+1))
		if _, err := attachment.Rescan(w.manager, w.s, scan.New("tcp", again.Address())); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("a person asks: %v", err)
		}
		if n, err := attachment.Rescan(testkit.System(), w.s, scan.New("tcp", again.Address())); n != 2 || err == nil {
			t.Errorf("%d were checked, %v; the one that the scanner cannot take is an error", n, err)
		}
		for id, want := range map[ident.ID]string{held.ID: "READY", infected.ID: "QUARANTINED", big: "HELD"} {
			if x := w.s.Client.Attachment.GetX(testkit.System(), id); string(x.Status) != want {
				t.Errorf("%s is %s", x.Name, x.Status)
			}
		}
		// both findings are in the audit
		n := 0
		for _, e := range w.s.Client.ChangeEvent.Query().Where(changeevent.EntityType("Attachment")).AllX(testkit.System()) {
			if e.Diff["status"][1] == "QUARANTINED" && e.Diff["finding"][1] == "Eicar-Signature" {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d of 2 findings are in the audit", n)
		}
	})
}

// held adds a file while nothing listens where the scanner should be.
func (w *world) held(name, text string) ident.ID {
	w.Helper()
	x, err := attachment.Add(w.manager, w.s, scan.New("unix", w.TempDir()+"/none"), w.product.ID, name, strings.NewReader(text))
	if err != nil || x.Status != "HELD" {
		w.Fatal(x, err)
	}
	return x.ID
}

func TestNames(t *testing.T) {
	for given, want := range map[string]string{
		"a.txt": "a.txt", "../../etc/passwd.txt": "passwd.txt", `C:\Users\me\Plan 2026.PDF`: "Plan 2026.PDF", "a\r\nSet-Cookie: x.txt": "a Set-Cookie: x.txt",
		"\u202Etxt.exe.pdf": "txt.exe.pdf", "inv\u200Boice\u2066.pdf": "invoice.pdf", " Été à Québec.docx ": "Été à Québec.docx", "a\x00b.md": "ab.md",
		"a.tar .txt": "a.tar.txt", "bad\xff.csv": "bad\uFFFD.csv", strings.Repeat("é", 300) + ".jpeg": strings.Repeat("é", 195) + ".jpeg",
		"": "", ".txt": "", "noending": "", "a.svg": "", "a.html": "", "a.pdf.exe": "", "..": "", "a.txt/": "", "   .pdf": "",
	} {
		got, _, err := attachment.Name(given)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q is kept as %q, %v; want %q", given, got, err, want)
		}
	}
}

func picture(t *testing.T, jpg bool) string {
	t.Helper()
	var b bytes.Buffer
	m, err := image.NewRGBA(image.Rect(0, 0, 3, 2)), error(nil)
	if jpg {
		err = jpeg.Encode(&b, m, nil)
	} else {
		err = png.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// office makes a document from parts, name and content in turn.
func office(t *testing.T, kind string, parts ...string) string {
	t.Helper()
	main := map[string]string{"xlsx": "xl/workbook.xml", "docx": "word/document.xml"}[kind]
	stated := map[string]string{"xlsx": "spreadsheetml.sheet", "docx": "wordprocessingml.document"}[kind]
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	parts = append([]string{"[Content_Types].xml", `<?xml version="1.0"?><Types><Override PartName="/` + main + `" ContentType="application/vnd.openxmlformats-officedocument.` + stated + `.main+xml"/></Types>`, main, "<x/>"}, parts...)
	for i := 0; i < len(parts); i += 2 {
		h := &zip.FileHeader{Name: parts[i], Method: zip.Deflate}
		if strings.HasSuffix(parts[i], ".link") {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		f, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestContent(t *testing.T) {
	pngs, jpgs, xlsx, docx := picture(t, false), picture(t, true), office(t, "xlsx"), office(t, "docx")
	pdf := "%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
	webp := "RIFF\x10\x00\x00\x00WEBPVP8 \x04\x00\x00\x00abcd"
	svg := `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	var many []string
	for i := range 1001 {
		many = append(many, fmt.Sprint("p", i), "")
	}
	var wide []string // each part is small and packed tightly, all together are not
	for i := range 120 {
		wide = append(wide, fmt.Sprint("p", i), strings.Repeat("0", 1<<20))
	}
	utf16 := "\xff\xfea\x00;\x00b\x00"
	key := func(err error) string {
		if e := errs.As(err); e != nil && len(e.Fields) == 1 {
			return e.Fields[0].Key
		}
		return fmt.Sprint(err)
	}
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var on ident.ID
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			on = c.Vendor.Create().SetName("V").SaveX(ctx).ID
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ what, name, content, want string }{
			{"a pdf", "a.pdf", pdf, ""}, {"a png", "a.PNG", pngs, ""}, {"a jpg", "a.jpg", jpgs, ""}, {"a jpeg", "a.jpeg", jpgs, ""}, {"a webp", "a.webp", webp, ""},
			{"a sheet", "a.xlsx", xlsx, ""}, {"a document", "a.docx", docx, ""}, {"a document with a sheet in it", "a.docx", office(t, "docx", "word/embeddings/s.xlsx", xlsx), ""},
			{"a table", "a.csv", "a;b\r\n1;2\r\n", ""}, {"a French table", "a.csv", "\xe9t\xe9;\x80\r\n", ""}, {"a table in UTF-16", "a.csv", utf16, ""},
			{"text", "a.txt", "Été\n", ""}, {"markdown", "a.md", "<!-- x -->\n<h1 align=center>x</h1>\n", ""},

			{"a page", "a.txt", " \n<!DOCTYPE html><html>", "attachment.content"}, {"a page as a pdf", "a.pdf", "<html>" + pdf, "attachment.content"},
			{"a page behind a comment", "a.md", "<!-- x --><SCRIPT>", "attachment.content"}, {"a page in UTF-16", "a.txt", "\xff\xfe<\x00h\x00t\x00m\x00l\x00", "attachment.content"},
			{"a drawing as a picture", "a.png", svg, "attachment.content"}, {"a drawing as text", "a.txt", `<?xml version="1.0"?>` + svg, "attachment.content"},
			{"a drawing", "a.svg", svg, "attachment.type"}, {"a program", "a.exe", "MZ", "attachment.type"}, {"a program as text", "a.txt", "MZ\x90\x00\x03", "attachment.content"},
			{"a jpg as a png", "a.png", jpgs, "attachment.content"}, {"a png with more behind it", "a.png", pngs + "x", "attachment.content"},
			{"a png that is an archive too", "a.png", pngs + xlsx, "attachment.content"}, {"a jpg that is an archive too", "a.jpg", jpgs + xlsx, "attachment.content"},
			{"a jpg that is a page too", "a.jpg", jpgs[:2] + "\xff\xfe\x00\x1a<html><script>alert(1)//" + jpgs[2:], "attachment.content"},
			{"a pdf that is an archive too", "a.pdf", pdf + xlsx, "attachment.content"}, {"a pdf that is a page too", "a.pdf", "%PDF-1.7\n<script>", "attachment.content"},
			{"text that is a pdf too", "a.txt", "hello\n" + pdf, "attachment.content"}, {"a webp of another size", "a.webp", webp + "x", "attachment.content"},
			{"an archive with something before", "a.xlsx", "x" + xlsx, "attachment.content"}, {"an archive with something behind", "a.xlsx", xlsx + "x", "attachment.content"},
			{"a document as a sheet", "a.xlsx", docx, "attachment.content"}, {"no archive", "a.xlsx", "PK\x03\x04", "attachment.content"},
			{"macros", "a.xlsx", office(t, "xlsx", "xl/vbaProject.bin", "x"), "attachment.content"}, {"a link", "a.docx", office(t, "docx", "a.link", "/etc/passwd"), "attachment.content"},
			{"a way out", "a.docx", office(t, "docx", "../../x", "x"), "attachment.content"},
			{"too many parts", "a.xlsx", office(t, "xlsx", many...), "attachment.archive"}, {"a part packed too tightly", "a.xlsx", office(t, "xlsx", "x", strings.Repeat("0", 3<<20)), "attachment.archive"},
			{"too much in all", "a.xlsx", office(t, "xlsx", wide...), "attachment.archive"},
		} {
			x, err := attachment.Add(testkit.System(), s, nil, on, c.name, strings.NewReader(c.content))
			if c.want == "" && err != nil || c.want != "" && (err == nil || key(err) != c.want) {
				t.Errorf("%s, %s: %v, want %q", c.what, c.name, err, c.want)
				continue
			}
			if err == nil {
				if got, err := content(testkit.System(), s, x.ID); got != c.content || err != nil {
					t.Errorf("%s came out changed, %v", c.what, err)
				}
			}
		}
	})
}
