package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"steward/ent"
	"steward/internal/area/attachment"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
	"steward/internal/exchange/upload"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
	page "steward/views/upload"
)

// importPages are the steps of an import by hand.
func (s *site) importPages() map[string]handler {
	return map[string]handler{
		"GET /imports/new":             s.newImport,
		"POST /imports":                s.sendImport,
		"GET /imports/{id}":            s.uploadPage,
		"GET /imports/{id}/progress":   s.uploadProgress,
		"GET /imports/{id}/faults.csv": s.uploadFaults,
		"POST /imports/{id}/format":    s.uploadFormat,
		"POST /imports/{id}/check":     s.checkUpload,
		"POST /imports/{id}/apply":     s.applyUpload,
		"POST /imports/{id}/cancel":    s.cancelUpload,
		"POST /imports/{id}/discard":   s.discardUpload,
	}
}

// importMax is how many bytes the files of one import may have where nothing else is set.
const importMax = 256 << 20

func (s *site) importMax() int64 {
	if s.ImportMax > 0 {
		return s.ImportMax
	}
	return importMax
}

// importFrame is the frame of a step.
func (s *site) importFrame(r *http.Request, title string) layout.Page {
	lang := i18n.From(r.Context())
	return s.frame(r, title, layout.Crumb{Label: i18n.T(lang, "nav.section.admin")}, layout.Crumb{Label: i18n.T(lang, "nav.imports"), Href: "/admin/imports"}, layout.Crumb{Label: title})
}

// newImport is the page on which files are chosen.
func (s *site) newImport(w http.ResponseWriter, r *http.Request) error {
	return s.showNewImport(w, r, http.StatusOK, r.URL.Query().Get("entity"), "")
}

func (s *site) showNewImport(w http.ResponseWriter, r *http.Request, status int, name, wrong string) error {
	ctx := r.Context()
	sent, err := upload.Waiting(ctx, s.store)
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	p := page.New{Max: int(s.importMax() >> 20), Accept: upload.Accept, Wrong: wrong}
	if e := importable(name); e != nil {
		p.Entity, p.Label = e.Name, view.Name(lang, e, 2)
	}
	for _, u := range sent {
		now, err := upload.StatusOf(ctx, s.store, u)
		if err != nil {
			return err
		}
		state := "upload.state.new"
		switch res := upload.ResultOf(u); {
		case now.Running:
			state = "upload.state.running"
		case now.Failed || res.Error != "":
			state = "upload.state.failed"
		case res.Report != nil:
			state = "upload.state.checked"
		}
		p.Sent = append(p.Sent, page.Sent{Name: fileNames(u), Format: s.formatLabel(lang, upload.PlanOf(u)), When: i18n.Time(lang, u.CreatedAt, i18n.Zone(ctx)), State: i18n.T(lang, state), Href: uploadPath(u)})
	}
	return s.show(w, r, status, s.importFrame(r, i18n.T(lang, "upload.title")), page.NewPage(p))
}

// importable returns the entity of a type name whose records can be imported, or nil.
func importable(name string) *entity.Entity {
	if !slices.Contains(tabular.Entities(), name) {
		return nil
	}
	return entity.ByName(name)
}

func uploadPath(u *ent.Upload) string { return "/imports/" + u.ID.String() }

// fileNames names an upload: its file, or the first of them and how many more there are.
func fileNames(u *ent.Upload) string {
	if n := len(upload.Files(u)); n > 1 {
		return u.Name + " + " + strconv.Itoa(n-1)
	}
	return u.Name
}

// formatLabel names a format in words.
func (s *site) formatLabel(lang string, p upload.Plan) string {
	if e := importable(p.Settings["entity"]); e != nil {
		return view.Name(lang, e, 2)
	}
	if key := "upload.format." + p.Format; i18n.Has(lang, key) {
		return i18n.T(lang, key)
	}
	return p.Format
}

// sendImport takes the files of an import in.
func (s *site) sendImport(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if !upload.May(viewer.From(ctx)) {
		return errs.NotFound()
	}
	patient(w)
	r.Body = http.MaxBytesReader(w, r.Body, s.importMax()+1<<20)
	parts, err := r.MultipartReader()
	if err != nil {
		return s.showNewImport(w, r, http.StatusUnprocessableEntity, "", i18n.C(ctx, "upload.error.none"))
	}
	in := upload.Receive(s.Scanner, s.importMax())
	defer in.Close()
	name, wrong, err := s.receive(ctx, in, parts)
	if err != nil {
		return err
	}
	var u *ent.Upload
	if wrong == "" && in.Len() > 0 {
		u, err = s.keep(ctx, in, name)
	} else if wrong == "" {
		wrong = i18n.C(ctx, "upload.error.none")
	}
	switch known := errs.As(store.Known(err)); {
	case err == nil && wrong == "":
		return leave(w, r, uploadPath(u))
	case err == nil:
		return s.showNewImport(w, r, http.StatusUnprocessableEntity, name, wrong)
	case known.Code == errs.Limit || known.Key == "upload.error.full":
		return s.showNewImport(w, r, http.StatusUnprocessableEntity, name, sentence(ctx, known))
	}
	return err
}

// receive reads the parts of the form. What is wrong with a file is a sentence; the rest
// of the form is not looked at then.
func (s *site) receive(ctx context.Context, in *upload.Receiving, parts *multipart.Reader) (name, wrong string, err error) {
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return name, "", nil
		}
		if err != nil {
			return name, s.brokenOff(ctx, err), nil
		}
		if part.FormName() == "entity" {
			b, _ := io.ReadAll(io.LimitReader(part, 100))
			name = string(b)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		from := &sending{Reader: part}
		err = in.Add(ctx, part.FileName(), from)
		known := errs.As(store.Known(err))
		switch {
		case from.err != nil:
			return name, s.brokenOff(ctx, from.err), nil
		case err == nil:
			continue
		case known.Code == errs.Validation, known.Code == errs.Limit, known.Key == "upload.error.scanner", known.Key == "upload.error.full":
		default:
			return name, "", err
		}
		if found := (*upload.Infected)(nil); errors.As(err, &found) {
			if err := upload.NoteInfected(ctx, s.store, found); err != nil {
				return name, "", err
			}
		}
		return name, attachment.Clean(part.FileName()) + ": " + sentence(ctx, known), nil
	}
}

// brokenOff says why a form did not come to its end.
func (s *site) brokenOff(ctx context.Context, err error) string {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return i18n.C(ctx, "upload.error.large", "megabytes", s.importMax()>>20)
	}
	return i18n.C(ctx, "attachment.cut_off")
}

// keep stores the files with a guess of how they are read.
func (s *site) keep(ctx context.Context, in *upload.Receiving, name string) (*ent.Upload, error) {
	look, err := in.Look(s.allColumns())
	if err != nil {
		return nil, err
	}
	return in.Keep(ctx, s.store, upload.Guess(s.Formats, look, name))
}

// allColumns are those of all formats: what a header may name.
func (s *site) allColumns() (out []importer.Column) {
	for _, f := range s.Formats {
		if columns, err := upload.Columns(f, upload.Plan{}); err == nil {
			out = append(out, columns...)
		}
	}
	return out
}

// uploadPage is the step at which an upload is.
func (s *site) uploadPage(w http.ResponseWriter, r *http.Request) error {
	u, err := upload.Get(r.Context(), s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return s.showUpload(w, r, http.StatusOK, u)
}

func (s *site) showUpload(w http.ResponseWriter, r *http.Request, status int, u *ent.Upload, banners ...ui.Notice) error {
	ctx := r.Context()
	lang := i18n.From(ctx)
	res := upload.ResultOf(u)
	now, err := upload.StatusOf(ctx, s.store, u)
	switch {
	case err != nil:
		return err
	case res.Batch != "":
		return leave(w, r, "/admin/imports/"+res.Batch.String())
	case now.Running:
		p := page.Work{At: uploadPath(u), Name: fileNames(u), Version: u.Version, Banners: banners, Applying: res.Report != nil, Progress: progressOf(lang, u, now)}
		return s.show(w, r, status, s.importFrame(r, u.Name), page.WorkPage(p))
	case now.Failed:
		banners = append(banners, ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: i18n.T(lang, "upload.error.failed"), Alert: true})
	case res.Error != "":
		banners = append(banners, ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: i18n.T(lang, res.Error, res.Args...), Alert: true})
	}
	if res.Report == nil || r.URL.Query().Get("step") == "setup" {
		return s.showSetup(w, r, status, u, upload.PlanOf(u), "", banners...)
	}
	return s.showResult(w, r, status, u, res, banners...)
}

// progressOf says in words how far the job is.
func progressOf(lang string, u *ent.Upload, now upload.Status) page.Progress {
	p := page.Progress{At: uploadPath(u), Step: i18n.T(lang, "upload.doing."+now.Step), Percent: now.Percent}
	if now.Done > 0 {
		p.Numbers = i18n.T(lang, "upload.numbers", "n", int(now.Done), "done", i18n.Int(lang, int(now.Done)), "speed", i18n.Int(lang, int(now.PerSecond)))
	}
	return p
}

// uploadProgress is the part of the page that asks for itself while the job runs.
func (s *site) uploadProgress(w http.ResponseWriter, r *http.Request) error {
	u, err := upload.Get(r.Context(), s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	now, err := upload.StatusOf(r.Context(), s.store, u)
	if err != nil {
		return err
	}
	if !now.Running {
		return leave(w, r, uploadPath(u))
	}
	return s.part(w, r, http.StatusOK, page.ProgressPart(progressOf(i18n.From(r.Context()), u, now)))
}

// setup is what the second step knows of a file.
type setup struct {
	format  importer.Format
	columns []importer.Column // those that can be chosen
	look    *importer.Look
	line    int
	labels  []string // of the header, each once
	at      []int    // where they stand
	shape   string
}

// setupOf looks at the first file of an upload under a plan.
func (s *site) setupOf(ctx context.Context, u *ent.Upload, p upload.Plan) (setup, error) {
	var out setup
	f, ok := s.Formats.Find(p.Format)
	if !ok {
		return out, nil
	}
	all, err := upload.Columns(f, p)
	if err != nil { // such as a csv of which it is not known what its rows are
		return out, nil
	}
	set := p.Options().Set
	if out.look, err = importer.LookAt(upload.Sources(ctx, s.store, u)[0], set, all); err != nil {
		return out, err
	}
	out.format = f
	for _, c := range all {
		if !c.Unused {
			out.columns = append(out.columns, c)
		}
	}
	if len(out.look.Rows) == 0 {
		return out, nil
	}
	i := out.look.Header(all, set)
	header := out.look.Rows[i]
	out.look.Rows, out.line, out.shape = out.look.Rows[i+1:], header.Line, importer.Shape(header.Cells)
	seen := map[string]bool{"": true}
	for at, label := range header.Cells {
		if shape := importer.Shape([]string{label}); !seen[shape] {
			seen[shape] = true
			out.labels, out.at = append(out.labels, letters(label)), append(out.at, at)
		}
	}
	return out, nil
}

// chosen returns the column for each label: as the plan says, as it was read the last
// time, or as its name says.
func (s *site) chosen(ctx context.Context, p upload.Plan, x setup) (columns []string, remembered bool, err error) {
	mapping := p.Mapping
	if len(mapping) == 0 {
		if mapping, err = upload.Remembered(ctx, s.store, p, x.shape); err != nil {
			return nil, false, err
		}
		remembered = len(mapping) > 0
	}
	if len(mapping) == 0 {
		return importer.Guess(x.labels, x.columns), false, nil
	}
	columns = make([]string, len(x.labels))
	for column, label := range mapping {
		i := slices.IndexFunc(x.labels, func(l string) bool {
			return label != "" && importer.Shape([]string{l}) == importer.Shape([]string{label})
		})
		if i >= 0 && slices.ContainsFunc(x.columns, func(c importer.Column) bool { return c.Name == column }) {
			columns[i] = column
		}
	}
	return columns, remembered, nil
}

// showSetup draws the second step.
func (s *site) showSetup(w http.ResponseWriter, r *http.Request, status int, u *ent.Upload, plan upload.Plan, wrong string, banners ...ui.Notice) error {
	ctx := r.Context()
	lang := i18n.From(ctx)
	x, err := s.setupOf(ctx, u, plan)
	if err != nil {
		return err
	}
	p := page.Setup{At: uploadPath(u), Name: fileNames(u), Version: u.Version, Banners: banners, Format: s.formatFields(lang, plan), Wrong: wrong, Ready: x.format != nil}
	for _, f := range upload.Files(u) {
		p.Files = append(p.Files, f.Name+" · "+size(lang, f.Size))
	}
	if x.format == nil {
		return s.show(w, r, status, s.importFrame(r, u.Name), page.SetupPage(p))
	}
	if x.look.Fault != nil {
		p.Banners = append(p.Banners, ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: x.look.Fault.Reason.In(lang) + " " + x.look.Fault.Hint.In(lang), Alert: true})
	}
	if p.Settings, err = s.settingFields(ctx, plan, x); err != nil {
		return err
	}
	chosen, remembered, err := s.chosen(ctx, plan, x)
	if err != nil {
		return err
	}
	if remembered {
		p.Known = i18n.T(lang, "upload.remembered")
	}
	if p.Header = i18n.T(lang, "upload.header_at", "line", x.line); x.look.Sheet != "" {
		p.Header = i18n.T(lang, "upload.header_in", "line", x.line, "sheet", x.look.Sheet)
	}
	label := columnLabels(lang, plan)
	var options []ui.Option
	var needed []string
	for _, c := range x.columns {
		options = append(options, ui.Option{Value: c.Name, Label: label(c)})
		if c.Required {
			needed = append(needed, label(c))
		}
	}
	if len(needed) > 0 {
		p.Needed = i18n.T(lang, "upload.needed", "n", len(needed), "names", strings.Join(needed, ", "))
	}
	for i, name := range x.labels {
		c := page.Column{Label: name, Field: ui.Field{Name: "map." + strconv.Itoa(i), Label: i18n.T(lang, "upload.means", "column", name), Value: chosen[i], Options: options, Blank: i18n.T(lang, "upload.ignore")}}
		for _, row := range x.look.Rows[:min(5, len(x.look.Rows))] {
			value := ""
			if x.at[i] < len(row.Cells) {
				value = brief(row.Cells[x.at[i]])
			}
			c.Samples = append(c.Samples, value)
		}
		p.Columns = append(p.Columns, c)
	}
	return s.show(w, r, status, s.importFrame(r, u.Name), page.SetupPage(p))
}

// letters returns the words of a cell on one line, without what is no letter to a database.
func letters(cell string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(cell, "\uFFFD"), "\x00", "")), " ")
}

// brief is the beginning of a cell.
func brief(cell string) string {
	text := []rune(letters(cell))
	if len(text) > 60 {
		return string(text[:60]) + "…"
	}
	return string(text)
}

// columnLabels returns how columns of a plan are called on a page.
func columnLabels(lang string, p upload.Plan) func(importer.Column) string {
	e := importable(p.Settings["entity"])
	return func(c importer.Column) string {
		if e != nil {
			if f, ok := e.Field(c.Name); ok {
				return view.Label(lang, e, f)
			}
		}
		return c.Headers[0]
	}
}

// formatFields are the choice of a format and, for csv, of what its rows are.
func (s *site) formatFields(lang string, p upload.Plan) []ui.Field {
	format := ui.Field{Name: "format", Label: i18n.T(lang, "upload.format"), Value: p.Format, Required: true}
	for _, f := range s.Formats {
		format.Options = append(format.Options, ui.Option{Value: f.Name(), Label: s.formatLabel(lang, upload.Plan{Format: f.Name()})})
	}
	rows := ui.Field{Name: "entity", Label: i18n.T(lang, "upload.entity"), Hint: i18n.T(lang, "upload.entity_hint"), Value: p.Settings["entity"], Blank: i18n.T(lang, "upload.choose")}
	for _, name := range tabular.Entities() {
		rows.Options = append(rows.Options, ui.Option{Value: name, Label: view.Name(lang, entity.ByName(name), 2)})
	}
	slices.SortFunc(rows.Options, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	return []ui.Field{format, rows}
}

// settingFields are the settings of a format that fit the file.
func (s *site) settingFields(ctx context.Context, p upload.Plan, x setup) ([]ui.Field, error) {
	lang := i18n.From(ctx)
	choice := func(name string, values ...string) ui.Field {
		f := ui.Field{Name: "set." + name, Label: i18n.T(lang, "upload.set."+name), Value: p.Settings[name]}
		for _, v := range values {
			key := "upload.set." + name + "." + v
			if v == "" {
				key = "upload.auto"
			}
			f.Options = append(f.Options, ui.Option{Value: v, Label: i18n.T(lang, key)})
		}
		return f
	}
	portfolios, err := s.portfolioKeys(ctx)
	if err != nil {
		return nil, err
	}
	in := ui.Field{Name: "portfolio", Label: i18n.T(lang, "upload.portfolio"), Hint: i18n.T(lang, "upload.portfolio_hint"), Value: p.Portfolio, Blank: i18n.T(lang, "upload.portfolio_file"), Options: portfolios}
	out := []ui.Field{in}
	if e := importable(p.Settings["entity"]); e != nil {
		if _, placed := e.Field("portfolio_id"); !placed {
			out = nil
		}
	} else {
		out = append(out, ui.Field{Name: "set.currency", Label: i18n.T(lang, "upload.set.currency"), Hint: i18n.T(lang, "upload.set.currency_hint"), Value: p.Settings["currency"], Max: 3})
		if strings.HasPrefix(p.Format, "itdashboard") {
			out = append(out, choice("unit", "", "units", "thousands", "millions"))
		}
	}
	out = append(out, choice(importer.SetDates, "", "month-first", "day-first"))
	if x.look.Encoding != "" {
		return append(out, choice(importer.SetSeparator, "", ",", ";", "tab", "|")), nil
	}
	return append(out, ui.Field{Name: "set." + importer.SetSheet, Label: i18n.T(lang, "upload.set.sheet"), Hint: i18n.T(lang, "upload.set.sheet_hint"), Value: p.Settings[importer.SetSheet], Max: 60}), nil
}

// portfolioKeys are the portfolios that the viewer reads, by their keys.
func (s *site) portfolioKeys(ctx context.Context) (out []ui.Option, err error) {
	e := entity.ByName("Portfolio")
	if !access.May(viewer.From(ctx), e.Name, access.Read) {
		return nil, nil
	}
	sort, _ := e.Field(e.Sort)
	found, err := e.List(ctx, s.store.ClientOf(ctx), unarchived, orderBy(sort), 200, 0)
	for _, row := range found {
		name, _ := e.Value(row, "name").(string)
		key, _ := e.Value(row, "key").(string)
		out = append(out, ui.Option{Value: key, Label: name})
	}
	return out, err
}

// uploadFormat says what a file is.
func (s *site) uploadFormat(w http.ResponseWriter, r *http.Request) error {
	u, err := upload.Get(r.Context(), s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if upload.ResultOf(u).Batch != "" { // another window was quicker: the report of the import says so
		return leave(w, r, uploadPath(u))
	}
	p := upload.Plan{Format: r.PostFormValue("format"), Settings: map[string]string{}, Portfolio: upload.PlanOf(u).Portfolio}
	if _, ok := s.Formats.Find(p.Format); !ok {
		return errs.Invalid("format", "error.invalid_value")
	}
	if p.Format == (tabular.Format{}).Name() {
		if e := importable(r.PostFormValue("entity")); e != nil {
			p.Settings["entity"] = e.Name
		}
	}
	if err := upload.Save(r.Context(), s.store, u.ID, formVersion(r), p); err != nil {
		return s.uploadRefused(w, r, u.ID, err)
	}
	return leave(w, r, uploadPath(u))
}

// uploadRefused shows where an upload is now, with the reason why something was not done.
func (s *site) uploadRefused(w http.ResponseWriter, r *http.Request, id ident.ID, err error) error {
	known := errs.As(store.Known(err))
	if known.Code != errs.Conflict && known.Code != errs.State || fragment(r) {
		return err
	}
	u, gerr := upload.Get(r.Context(), s.store, id)
	if gerr != nil {
		return gerr
	}
	lang := i18n.From(r.Context())
	return s.showUpload(w, r, http.StatusConflict, u, ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: i18n.Error(lang, known), Alert: true})
}

// checkUpload keeps how the file is read and has it checked.
func (s *site) checkUpload(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	u, err := upload.Get(ctx, s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if upload.ResultOf(u).Batch != "" { // another window was quicker: the report of the import says so
		return leave(w, r, uploadPath(u))
	}
	old := upload.PlanOf(u)
	p := upload.Plan{Format: old.Format, Settings: map[string]string{}, Portfolio: r.PostFormValue("portfolio"), Mapping: map[string]string{}}
	if e := old.Settings["entity"]; e != "" {
		p.Settings["entity"] = e
	}
	for _, name := range []string{"currency", "unit", importer.SetDates, importer.SetSeparator, importer.SetSheet} {
		if v := strings.TrimSpace(r.PostFormValue("set." + name)); v != "" && len(v) <= 100 {
			p.Settings[name] = v
		}
	}
	x, err := s.setupOf(ctx, u, upload.Plan{Format: p.Format, Settings: p.Settings, Portfolio: p.Portfolio, Mapping: old.Mapping})
	if err != nil {
		return err
	}
	wrong := s.readMapping(r, &p, x)
	if wrong != "" {
		return s.showSetup(w, r, http.StatusUnprocessableEntity, u, p, wrong)
	}
	if err := upload.Check(ctx, s.store, u.ID, formVersion(r), p); err != nil {
		return s.uploadRefused(w, r, u.ID, err)
	}
	return leave(w, r, uploadPath(u))
}

// readMapping puts the chosen columns into the plan, and says what is wrong with them.
func (s *site) readMapping(r *http.Request, p *upload.Plan, x setup) string {
	lang := i18n.From(r.Context())
	if x.format == nil {
		return i18n.T(lang, "upload.error.settings")
	}
	for _, c := range x.columns {
		p.Mapping[c.Name] = ""
	}
	label := columnLabels(lang, *p)
	for i, name := range x.labels {
		column := r.PostFormValue("map." + strconv.Itoa(i))
		have, ok := p.Mapping[column]
		switch {
		case !ok:
		case have != "":
			at := slices.IndexFunc(x.columns, func(c importer.Column) bool { return c.Name == column })
			return i18n.T(lang, "upload.error.twice", "field", label(x.columns[at]), "a", have, "b", name)
		default:
			p.Mapping[column] = name
		}
	}
	var missing []string
	for _, c := range x.columns {
		if c.Required && p.Mapping[c.Name] == "" && (c.Unless == "" || p.Mapping[c.Unless] == "") {
			missing = append(missing, label(c))
		}
	}
	if len(missing) > 0 {
		return i18n.T(lang, "upload.error.missing", "n", len(missing), "names", strings.Join(missing, ", "))
	}
	return ""
}

// applyUpload has what was checked stored.
func (s *site) applyUpload(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	u, err := upload.Get(ctx, s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if upload.ResultOf(u).Batch != "" { // another window was quicker: the report of the import says so
		return leave(w, r, uploadPath(u))
	}
	x, err := s.setupOf(ctx, u, upload.PlanOf(u))
	if err == nil {
		err = upload.Apply(ctx, s.store, u.ID, formVersion(r), r.PostFormValue("skip") == "true", x.shape)
	}
	if err != nil {
		return s.uploadRefused(w, r, u.ID, err)
	}
	return leave(w, r, uploadPath(u))
}

// cancelUpload stops the job of an upload.
func (s *site) cancelUpload(w http.ResponseWriter, r *http.Request) error {
	id := ident.ID(r.PathValue("id"))
	if err := upload.Cancel(r.Context(), s.store, id); err != nil {
		return err
	}
	return leave(w, r, "/imports/"+id.String())
}

// discardUpload gives an upload up.
func (s *site) discardUpload(w http.ResponseWriter, r *http.Request) error {
	if err := upload.Discard(r.Context(), s.store, ident.ID(r.PathValue("id"))); err != nil {
		return err
	}
	s.flash(w, "entity.upload_discarded", "")
	return leave(w, r, "/admin/imports")
}

// showResult draws the report of the check.
func (s *site) showResult(w http.ResponseWriter, r *http.Request, status int, u *ent.Upload, res upload.Result, banners ...ui.Notice) error {
	lang := i18n.From(r.Context())
	rep, err := importer.Kept(res.Report)
	if err != nil {
		return err
	}
	p := page.Result{At: uploadPath(u), Name: fileNames(u), Version: u.Version, Banners: banners}
	if res.Applying { // the rows were good when they were checked, and are not now
		p.Banners = append(p.Banners, ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: i18n.T(lang, "upload.not_applied"), Alert: true})
	}
	p.Facts = []ui.Fact{{Label: i18n.T(lang, "upload.format"), Value: s.formatLabel(lang, upload.PlanOf(u))},
		{Label: i18n.T(lang, "desk.files"), Value: strings.Join(rep.Files, ", ")},
		{Label: i18n.T(lang, "desk.rows"), Value: i18n.Int(lang, rep.Rows)},
		{Label: i18n.T(lang, "upload.took"), Value: i18n.T(lang, "upload.seconds", "n", 2, "seconds", i18n.Number(lang, res.Took.Seconds(), 1), "speed", i18n.Int(lang, int(float64(rep.Rows)/max(0.001, res.Took.Seconds()))))},
		{Label: i18n.T(lang, "upload.duplicates"), Value: i18n.Int(lang, res.Counts["duplicates"])}}
	for _, name := range importer.Sorted(rep.Totals) {
		for _, currency := range importer.Sorted(rep.Totals[name]) {
			p.Facts = append(p.Facts, ui.Fact{Label: name, Value: i18n.Money(lang, rep.Totals[name][currency], currency)})
		}
	}
	p.Counts = countRows(lang, rep)
	p.Faults = page.Findings{Title: i18n.T(lang, "upload.faults"), None: i18n.T(lang, "upload.no_faults"), More: cutNote(lang, res.Counts["faults"])}
	for _, f := range rep.Faults {
		p.Faults.List = append(p.Faults.List, findingRow(lang, rep, f.File, f.Line, f.Column, f.Value, f.Reason.In(lang), f.Hint.In(lang)))
	}
	p.Warnings = page.Findings{Title: i18n.T(lang, "desk.warnings"), More: cutNote(lang, res.Counts["warnings"])}
	for _, f := range rep.Warnings {
		p.Warnings.List = append(p.Warnings.List, findingRow(lang, rep, f.File, f.Line, f.Column, f.Value, f.Reason.In(lang), ""))
	}
	n := res.Counts["faults"]
	if n > 0 {
		p.Download = uploadPath(u) + "/faults.csv"
	}
	if res.May(false) {
		p.Apply = i18n.T(lang, "upload.apply")
	} else if res.May(true) {
		p.Skip = i18n.T(lang, "upload.skip", "n", n)
	}
	return s.show(w, r, status, s.importFrame(r, u.Name), page.ResultPage(p))
}

// cutNote says that a list does not show everything.
func cutNote(lang string, n int) string {
	if n <= upload.Shown {
		return ""
	}
	return i18n.T(lang, "upload.first", "shown", upload.Shown, "n", n)
}

func findingRow(lang string, rep *importer.Report, file string, line int, column, value, reason, hint string) page.Finding {
	if len(rep.Files) < 2 {
		file = ""
	}
	return page.Finding{File: file, Line: i18n.Int(lang, line), Column: column, Value: value, Reason: reason, Hint: hint}
}

// countRows are the numbers of a report by what they count.
func countRows(lang string, rep *importer.Report) (out [][4]string) {
	kinds := map[string]bool{}
	for _, of := range []map[string]int{rep.Created, rep.Updated, rep.Unchanged} {
		for name := range of {
			kinds[name] = true
		}
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return i18n.Int(lang, n)
	}
	for _, name := range importer.Sorted(kinds) {
		label := name
		if e := entity.ByName(name); e != nil && e.Registry {
			label = view.Name(lang, e, 2)
		}
		out = append(out, [4]string{label, number(rep.Created[name]), number(rep.Updated[name]), number(rep.Unchanged[name])})
	}
	return out
}

// uploadFaults sends the rows that were rejected, to be corrected and sent again.
func (s *site) uploadFaults(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	u, err := upload.Get(ctx, s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	faults, err := upload.AllFaults(ctx, s.store, u)
	if err != nil {
		return err
	}
	p := upload.PlanOf(u)
	f, ok := s.Formats.Find(p.Format)
	if !ok || len(faults) == 0 {
		return errs.NotFound()
	}
	patient(w)
	base, _, _ := cutLast(u.Name, ".")
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", disposition("attachment", i18n.C(ctx, "upload.faults_name", "name", base)+".csv"))
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.WriteString("\uFEFF") // spreadsheets take it for UTF-8 then
	err = importer.Reject(ctx, out, f, upload.Sources(ctx, s.store, u), p.Options(), faults, i18n.From(ctx))
	if err == nil {
		err = out.Flush()
	}
	if err != nil { // half a file must not look like a whole one
		s.Log.WarnContext(ctx, "file cut short", "upload", u.ID.String(), "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
