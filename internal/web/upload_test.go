package web_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
	"steward/internal/exchange/upload"
	"steward/internal/platform/job"
	"steward/internal/platform/scan"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

// imports lets the world import files.
func (w *world) imports() {
	c := w.config()
	c.Formats = importer.Formats{gcspending.Format{}, tabular.Format{}}
	c.ImportMax = 1 << 20
	w.h = web.New(c)
}

// work does the jobs that wait, for whom they say.
func (w *world) work(as *viewer.Viewer) {
	w.t.Helper()
	worker := &upload.Worker{Store: w.s, Formats: importer.Formats{gcspending.Format{}, tabular.Format{}}, Who: func(_ context.Context, was *viewer.Viewer) (*viewer.Viewer, error) {
		now := *was
		now.Memberships = as.Memberships
		return &now, nil
	}}
	r := job.New(w.s, job.Config{Worker: "here", Kinds: []job.Kind{{Name: upload.Job, Do: worker.Do}}})
	for more := true; more; {
		var err error
		if more, err = r.Once(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// sendFile sends a file and returns the path of the upload.
func (w *world) sendFile(v *viewer.Viewer, name, content string) string {
	w.t.Helper()
	return w.upload(v, "/imports", name, content).want(303).Header.Get("Location")
}

// fill takes the form of a page with what it holds.
func fill(p *testkit.HTML, form string, pairs ...string) url.Values {
	out := url.Values{}
	for _, n := range p.All(form + " input[name]") {
		out.Set(attr(n, "name"), attr(n, "value"))
	}
	for _, n := range p.All(form + " select[name]") {
		out.Set(attr(n, "name"), "")
		for o := range n.Descendants() {
			for _, a := range o.Attr {
				if o.Data == "option" && a.Key == "selected" {
					out.Set(attr(n, "name"), attr(o, "value"))
				}
			}
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

const sheetOfVendors = "Company,Homepage,Remark\nAcme,https://acme.example,=1+1\n,https://beta.example,\nGamma,nowhere,<b>x</b>\n"

func TestAnImportByHand(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		w.imports()
		p := w.get(w.paul, "/admin/imports").want(200).page()
		p.WantHouseRules()
		p.Want("a.btn[href='/imports/new']", "Import a file")
		w.get(w.paul, "/vendors").want(200).page().Want("a[href='/imports/new?entity=Vendor']", "Import")
		p = w.get(w.paul, "/imports/new?entity=Vendor").want(200).page()
		p.WantHouseRules()
		p.WantAttr("#send-form input[name=entity]", "value", "Vendor")
		p.WantAttr("#send-form", "enctype", "multipart/form-data")
		p.WantNone("#sent")

		at := w.sendFile(w.paul, "Vendors <b>.csv", sheetOfVendors)
		p = w.get(w.paul, at).want(200).page()
		p.WantHouseRules()
		p.WantNone("#columns") // a csv of nothing known
		p.Want("#format li", "Vendors <b>.csv")
		w.post(w.paul, at+"/format", fill(p, "#format-form", "format", "novel")).want(422)
		w.post(w.paul, at+"/format", fill(p, "#format-form", "entity", "Vendor")).want(303)
		p = w.get(w.paul, at).want(200).page()
		p.WantHouseRules()
		p.Want("#columns", "line 1", "This field must be in the file: Name")
		p.Want("#mapping tr", "Company", "Acme", "Gamma")
		form := fill(p, "#setup-form")
		if form.Get("map.0") != "" || form.Get("map.1") != "" {
			t.Errorf("headers that name nothing are guessed: %v", form)
		}
		w.post(w.paul, at+"/check", form).want(422).page().Want("#setup-form .banner.bad", "Choose the column of this field: Name.")
		twice := fill(p, "#setup-form", "map.0", "name", "map.1", "name")
		w.post(w.paul, at+"/check", twice).want(422).page().Want("#setup-form .banner.bad", "“Company” and “Homepage” cannot both be Name.")
		w.post(w.paul, at+"/check", fill(p, "#setup-form", "map.0", "name", "map.1", "website", "map.2", "note")).want(303)
		p = w.get(w.paul, at).want(200).page()
		p.WantHouseRules()
		p.Want("#progress", "Waiting for its turn")
		p.WantAttr("#progress", "hx-get", at+"/progress")
		w.get(w.paul, at+"/progress", "HX-Request", "true").want(200)
		w.post(w.paul, at+"/check", fill(p, "form", "version", "1")).want(422)
		w.work(w.paul)
		if to := w.get(w.paul, at+"/progress", "HX-Request", "true").want(204).Header.Get("HX-Redirect"); to != at {
			t.Errorf("leads to %s", to)
		}
		p = w.get(w.paul, at).want(200).page()
		p.WantHouseRules()
		p.Want("#counts tr", "Vendors", "1")
		p.Want("#faults tr", "Company", "must not be empty")
		p.Want("#faults tr", "Homepage", "nowhere")
		p.Want("#decide button", "Import without the 2 bad rows")
		p.Want("#facts", "Rows said twice")
		csv := w.get(w.paul, at+"/faults.csv").want(200)
		if got := csv.Header.Get("Content-Disposition"); got != `attachment; filename="Vendors__b__-_rows_to_correct.csv"; filename*=UTF-8''Vendors%20%3Cb%3E%20-%20rows%20to%20correct.csv` {
			t.Error(got)
		}
		if !strings.HasPrefix(csv.body, "\uFEFFsteward: line,steward: reason,Company,Homepage,Remark\n3,Company: must not be empty,,https://beta.example,\n4,") {
			t.Errorf("%q", csv.body)
		}

		// Another window goes back and checks again; this one may not apply what it has not seen.
		version := p.Attr("#decide input[name=version]", "value")
		other := w.get(w.paul, at+"?step=setup").want(200).page()
		w.post(w.paul, at+"/check", fill(other, "#setup-form")).want(303)
		w.post(w.paul, at+"/apply", url.Values{"version": {version}, "skip": {"true"}}).want(409).page().Want(".banner.bad", "another window")
		w.work(w.paul)
		w.post(w.paul, at+"/apply", url.Values{"version": {version}, "skip": {"true"}}).want(409)
		p = w.get(w.paul, at).want(200).page()
		version = p.Attr("#decide input[name=version]", "value")
		w.post(w.paul, at+"/apply", url.Values{"version": {version}}).want(409).page().Want(".banner.bad", "Check the file first")
		if n := w.s.Client.Vendor.Query().CountX(testkit.System()); n != 1 {
			t.Fatalf("%d vendors", n)
		}
		w.post(w.paul, at+"/apply", url.Values{"version": {version}, "skip": {"true"}}).want(303)
		w.get(w.paul, at).want(200).page().Want("h2", "Importing the file")
		w.work(w.paul)
		to := w.get(w.paul, at).want(303).Header.Get("Location")
		p = w.get(w.paul, to).want(200).page()
		p.Want("#counts tr", "Vendors", "1")
		p.Want("[data-open=take-back]")
		w.post(w.paul, at+"/apply", url.Values{"version": {version}, "skip": {"true"}}).want(303) // the back button: it leads to the report
		if n := w.s.Client.Vendor.Query().CountX(testkit.System()); n != 2 {
			t.Errorf("%d vendors", n)
		}

		// The next file like it is read as this one was.
		at = w.upload(w.paul, "/imports", "more.csv", "Company,Homepage,Remark\nDelta,,\n").want(303).Header.Get("Location")
		w.post(w.paul, at+"/format", fill(w.get(w.paul, at).page(), "#format-form", "entity", "Vendor")).want(303)
		p = w.get(w.paul, at).want(200).page()
		p.Want("#columns", "the last time a file like this was imported")
		if form := fill(p, "#setup-form"); form.Get("map.0") != "name" || form.Get("map.2") != "note" {
			t.Errorf("%v", form)
		}
		w.get(w.paul, "/imports/new").want(200).page().Want("#sent tr", "more.csv", "To be checked")
		w.lang = "fr"
		p = w.get(w.paul, at).want(200).page()
		p.WantHouseRules()
		p.Want("#mapping th", "Dans le fichier")
		w.post(w.paul, at+"/discard", url.Values{}).want(303)
		w.get(w.paul, at).want(404)
	})
}

// What is no file to import is refused with a sentence, and nothing is kept.
func TestRefusedUploads(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		w.imports()
		for name, c := range map[string][3]string{
			"type":    {"a.pdf", "%PDF-1.7", "Only .csv, .tsv, .txt and .xlsx"},
			"content": {"a.csv", "%PDF-1.7 x", "this is not a text file"},
			"empty":   {"a.csv", "", "the file is empty"},
			"large":   {"a.csv", strings.Repeat("name\n", 1<<18), "larger than 1 MB"},
			"renamed": {"a.xlsx", "name\nAcme\n", "The content is not what the name says"},
		} {
			w.upload(w.paul, "/imports", c[0], c[1]).want(422).page().Want("#send-form .banner.bad", c[2])
			_ = name
		}
		w.upload(w.paul, "/imports").want(422).page().Want("#send-form .banner.bad", "Choose a file.")
		w.sent(w.paul, "/imports", "application/x-www-form-urlencoded", "a=b").want(422)
		w.sent(w.paul, "/imports", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nname\nAc").want(422).page().Want("#send-form .banner.bad", "cut off")

		// The scanner (UP-6): what it finds is refused and audited, and nothing passes while it is down.
		clamd := testkit.StartClamd(t, "tcp", "127.0.0.1:0")
		c := w.config()
		c.Formats, c.Scanner = importer.Formats{tabular.Format{}}, scan.New("tcp", clamd.Address())
		w.h = web.New(c)
		w.upload(w.paul, "/imports", "eicar.csv", "name\n"+testkit.EICAR+"\n").want(422).page().Want("#send-form .banner.bad", "The virus scanner found something")
		w.get(w.aud, "/admin/audit").want(200).page().Want("#events", "A file to import was refused")
		w.sendFile(w.paul, "good.csv", "name\nAcme\n")
		clamd.Stop()
		w.upload(w.paul, "/imports", "a.csv", "name\nAcme\n").want(422).page().Want("#send-form .banner.bad", "does not answer")
		ctx := testkit.System()
		if a, b := w.s.Client.Upload.Query().CountX(ctx), w.s.Client.Blob.Query().CountX(ctx); a != 1 || b != 1 {
			t.Errorf("%d uploads, %d blobs", a, b)
		}
	})
}

// For everybody but the sender there is no upload.
func TestUploadIsItsSenders(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		w.imports()
		at := w.sendFile(w.paul, "v.csv", "name,website\nAcme,\n")
		for _, v := range []*viewer.Viewer{w.pia, w.aud, w.eva, w.vic, w.pat, w.ada} {
			w.get(v, at).want(404)
			w.get(v, at+"/progress").want(404)
			w.get(v, at+"/faults.csv").want(404)
			for _, what := range []string{"format", "check", "apply", "cancel", "discard"} {
				w.post(v, at+"/"+what, url.Values{"version": {"1"}, "format": {"csv"}}).want(404)
			}
		}
		w.post(w.paul, at+"/discard", url.Values{}, "Sec-Fetch-Site", "cross-site").want(403)
		w.get(w.aud, "/imports/new").want(404) // reads imports, makes none
		w.upload(w.aud, "/imports", "v.csv", "name\n").want(404)
		w.get(w.aud, "/admin/imports").want(200).page().WantNone("a[href='/imports/new']")
		w.get(nil, at).want(303)
		if n := w.s.Client.Upload.Query().CountX(testkit.System()); n != 1 {
			t.Errorf("%d uploads", n)
		}
		w.get(w.paul, at+"/faults.csv").want(404)
	})
}
