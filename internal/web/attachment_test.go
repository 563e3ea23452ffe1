package web_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"steward/internal/area/attachment"
	"steward/internal/platform/scan"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

// upload sends files as a form does, name and content in turn.
func (w *world) upload(v *viewer.Viewer, path string, files ...string) answer {
	w.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		part, err := form.CreateFormFile("file", files[i])
		if err != nil {
			w.t.Fatal(err)
		}
		_, _ = part.Write([]byte(files[i+1]))
	}
	_ = form.Close()
	return w.sent(v, path, form.FormDataContentType(), b.String())
}

func (w *world) sent(v *viewer.Viewer, path, kind, body string) answer {
	w.t.Helper()
	w.as = v
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	if w.lang != "en" {
		r.AddCookie(&http.Cookie{Name: "lang", Value: w.lang})
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	a := answer{Response: rec.Result(), body: rec.Body.String(), t: w.t}
	a.Request = r
	return a
}

// file puts a file on a record and returns its id.
func (w *world) file(v *viewer.Viewer, name string, on ident.ID) ident.ID {
	w.t.Helper()
	x, err := attachment.Add(viewer.With(context.Background(), v), w.s, nil, on, name+".txt", strings.NewReader("content of "+name))
	if err != nil {
		w.t.Fatal(err)
	}
	return x.ID
}

func drawing(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFilesOfARecord(t *testing.T) {
	each(t, func(w *world) {
		for _, path := range []string{"/contracts/" + w.contract.Key, "/products/forms", "/products/forms?view=record", "/portfolios/cc", "/procurements/" + w.procurement.Key} {
			p := w.get(w.pia, path).want(200).page()
			p.Want("#files .muted", "No files yet.")
			p.Want(`#files form[method=post][enctype="multipart/form-data"] input[type=file][multiple]`)
		}
		if p := w.get(w.vic, "/contracts/"+w.contract.Key).want(200).page(); len(p.All("#files form")) != 0 {
			t.Error("who may not change the contract is offered to add files")
		}
		base := "/contracts/" + w.contract.Key
		a := w.upload(w.pia, base+"/files", "Plan <b>.txt", "the plan", `C:\x\Été.png`, drawing(t)).want(303)
		if to := a.Header.Get("Location"); to != base+"#files-card" {
			t.Errorf("leads to %s", to)
		}
		page := w.get(w.pia, base, "Cookie", a.Cookies()[0].String()).want(200)
		p := page.page()
		p.WantHouseRules()
		p.Want(".toast", "Files added.")
		if len(p.All("#files li")) != 2 || len(p.All("#files details img[loading=lazy]")) != 1 || strings.Contains(page.body, "<b>.txt") {
			t.Errorf("%d files\n%s", len(p.All("#files li")), page.body)
		}
		text := w.get(w.vic, p.Attr("#files li:first-child a", "href")).want(200)
		if text.body != "the plan" || text.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%q as %s", text.body, text.Header.Get("Content-Type"))
		}
		for name, want := range map[string]string{
			"Content-Disposition": `attachment; filename="Plan__b_.txt"; filename*=UTF-8''Plan%20%3Cb%3E.txt`, "Content-Length": "8",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := text.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		shown := w.get(w.pia, p.Attr("#files img", "src")).want(200)
		if kind, params, err := mime.ParseMediaType(shown.Header.Get("Content-Disposition")); kind != "inline" || params["filename"] != "Été.png" || err != nil ||
			shown.Header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || shown.Header.Get("Content-Type") != "image/png" || shown.body != drawing(t) {
			t.Errorf("the preview: %v", shown.Header)
		}
		w.get(w.pia, p.Attr("#files li:first-child a", "href")+"/preview").want(404)
		w.get(w.pia, base+"/history").want(200).page().Want("main", "File added: Été.png")
	})
}

func TestRefusedFilesAreNamed(t *testing.T) {
	each(t, func(w *world) {
		base := "/contracts/" + w.contract.Key
		a := w.upload(w.pia, base+"/files", "a.svg", "<svg/>", "good.txt", "x", "b\u202e.pdf", "<html>", "empty.md", "", "big.txt", strings.Repeat("x", attachment.MaxSize+1), "last.txt", "y").want(422)
		p := a.page()
		p.WantHouseRules()
		for _, text := range []string{"a.svg: Files of this type cannot be added.", "b.pdf: The content is not that of a plain PDF file.", "empty.md: The file is empty.", "big.txt: The file is larger than 25 MB."} {
			p.Want("#files [role=alert]", text)
		}
		if len(p.All("#files .files > li")) != 2 {
			t.Error("those that are good are not there")
		}
		w.lang = "fr"
		w.upload(w.pia, base+"/files", "a.svg", "<svg/>").want(422).page().Want("#files [role=alert]", "a.svg: Ce type de fichier ne peut pas être ajouté.")
		w.lang = "en"
		w.upload(w.pia, base+"/files").want(422).page().Want("#files [role=alert]", "Choose a file.")
		w.post(w.pia, base+"/files", url.Values{"x": {"y"}}).want(422)
		w.sent(w.pia, base+"/files", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhalf").want(422).page().Want("#files [role=alert]", "cut off")
		var many []string
		for i := range 12 {
			many = append(many, fmt.Sprint(i, ".txt"), "x")
		}
		w.upload(w.pia, base+"/files", many...).want(422).page().Want("#files [role=alert]", "at most 10 files at once")
		if n := w.s.Client.Attachment.Query().CountX(testkit.System()); n != 12 {
			t.Errorf("%d files, want the 2 and 10", n)
		}
	})
}

// A name cannot end a header, and no name shows what it is not.
func TestNamesInHeaders(t *testing.T) {
	each(t, func(w *world) {
		name := `x"; filename="evil.exe` + "\u202e" + `%0d%0aSet-Cookie: a=b`
		id := w.file(w.pia, name, w.contract.ID)
		h := w.get(w.pia, "/attachments/"+id.String()).want(200).Header
		kind, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
		if want := strings.ReplaceAll(name, "\u202e", "") + ".txt"; kind != "attachment" || params["filename"] != want || err != nil || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v, %v", h.Get("Content-Disposition"), params, err)
		}
	})
}

func TestFileIsRemovedAndBroughtBack(t *testing.T) {
	each(t, func(w *world) {
		base, at := "/contracts/"+w.contract.Key, "/attachments/"+w.file(w.pia, "plan", w.contract.ID).String()
		w.get(w.vic, at+"/remove").want(403)
		w.post(w.vic, at+"/remove", url.Values{}).want(403)
		w.get(w.pia, at+"/remove").want(200).page().Want("h1", "Remove plan.txt?")
		w.get(w.pia, at+"/remove", "HX-Request", "true").want(200).page().Want("dialog[data-show] h2", "Remove plan.txt?")
		a := w.post(w.pia, at+"/remove", url.Values{}).want(303)
		p := w.get(w.pia, base, "Cookie", a.Cookies()[0].String()).want(200).page()
		p.Want(".toast", "File removed.")
		p.Want("#files", "No files yet.")
		w.get(w.pia, at).want(404)
		undo := p.Attr(".toast form", "action")
		w.post(w.vic, undo, url.Values{}).want(403)
		if to := w.post(w.pia, undo, url.Values{}).want(303).Header.Get("Location"); to != base+"#files-card" {
			t.Errorf("leads to %s", to)
		}
		w.get(w.pia, at).want(200)
	})
}

// A file of a record that one may not see is not there, and its name nowhere.
func TestForeignFilesAreAbsent(t *testing.T) {
	each(t, func(w *world) {
		root := *w.fia
		root.Roles = append(root.Roles, "portfolio-manager")
		theirs, shared := w.file(&root, "zqx-secret", w.theirContract.ID), w.file(&root, "zqx-price", w.contract.ID)
		absent := ident.New("att")
		for _, who := range []*viewer.Viewer{w.pia, w.otto, w.vic} {
			for _, rest := range []string{"", "/preview", "/remove"} {
				a, b := w.get(who, "/attachments/"+theirs.String()+rest), w.get(who, "/attachments/"+absent.String()+rest)
				if a.StatusCode != 404 || b.StatusCode != 404 || strings.Contains(a.body, "zqx-secret") {
					t.Errorf("%s, GET %s: %d and %d", who.Name, rest, a.StatusCode, b.StatusCode)
				}
			}
			for _, rest := range []string{"/remove", "/restore"} {
				if a := w.post(who, "/attachments/"+theirs.String()+rest, url.Values{}); a.StatusCode != 404 {
					t.Errorf("%s, POST %s: %d", who.Name, rest, a.StatusCode)
				}
			}
			if a := w.upload(who, "/contracts/"+w.theirContract.Key+"/files", "a.txt", "x"); a.StatusCode != 404 {
				t.Errorf("%s adds: %d", who.Name, a.StatusCode)
			}
		}
		// a partner meets the files of their vendor's contracts, whatever the portfolio, and of no product
		product := w.file(&root, "zqx-plan", w.product.ID)
		w.get(w.pat, "/attachments/"+shared.String()).want(200)
		w.get(w.pat, "/attachments/"+theirs.String()).want(200)
		w.get(w.pat, "/attachments/"+product.String()).want(404)
		other := *w.pat
		other.Memberships = []viewer.Membership{{Scope: viewer.ScopeVendor, ID: ident.New("vnd"), Level: viewer.LevelPartner}}
		w.get(&other, "/attachments/"+shared.String()).want(404)
		w.get(nil, "/attachments/"+shared.String()).want(303)
	})
}

// What the scanner has not let pass is listed with the reason and not served.
func TestScannedFiles(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		d := testkit.StartClamd(t, "tcp", "127.0.0.1:0")
		c := w.config()
		c.Scanner = scan.New("tcp", d.Address())
		w.h = web.New(c)
		base := "/contracts/" + w.contract.Key
		w.upload(w.pia, base+"/files", "bad.txt", testkit.EICAR).want(303)
		d.Stop()
		w.upload(w.pia, base+"/files", "later.txt", "x").want(303)
		p := w.get(w.pia, base).want(200).page()
		p.Want("#files li:first-child", "Locked: virus found")
		p.Want("#files li:last-child", "Being checked")
		if len(p.All("#files li p a")) != 0 {
			t.Error("there is a link to what is not served")
		}
		for _, x := range s.Client.Attachment.Query().AllX(testkit.System()) {
			if a := w.get(w.pia, "/attachments/"+x.ID.String()); a.StatusCode != http.StatusConflict || strings.Contains(a.body, testkit.EICAR) {
				t.Errorf("%s: %d", x.Name, a.StatusCode)
			}
		}
	})
}
