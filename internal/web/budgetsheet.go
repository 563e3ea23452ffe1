package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"steward/ent"
	"steward/internal/area/budget"
	"steward/internal/area/takeout"
	"steward/internal/exchange/sheet"
	"steward/internal/platform/entity"
	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	view "steward/views/budget"
	"steward/views/layout"
)

// The workbook of a grid has a row for each figure of a line and a column for each
// period. Three hidden columns lead back: the line, the figure, and what each cell held
// and in which version, so that an upload tells what its person changed from what
// others changed meanwhile. The periods in the header read 2026-04 in every language.

// The hidden columns, and the last that says whose the row is.
const (
	lineColumn = iota
	figureColumn
	stateColumn
	describing // how many columns come before the periods
)

var hiddenColumns = [...]string{"line", "figure", "state"}

// askedGrid reads which grid an address means: ?plan= that of one plan, else that of the
// portfolio's plans in ?fy=.
func (s *site) askedGrid(r *http.Request, q url.Values) (budget.GridInput, error) {
	in := budget.GridInput{Show: budget.ViewForecast}
	if key := q.Get("plan"); key != "" {
		row, err := s.find(r.Context(), entity.ByName("BudgetPlan"), key)
		if err != nil {
			return in, err
		}
		in.Plan = &row.ID
		return in, readView(q, &in)
	}
	in.Portfolio = r.PathValue("id")
	if fy := q.Get("fy"); fy != "" {
		n, err := strconv.Atoi(fy)
		if err != nil || n < 1900 || n > 2200 {
			return in, errs.Invalid("fy", "error.not_whole", "value", fy)
		}
		in.FiscalYear = n
	}
	return in, readView(q, &in)
}

// gridOfPortfolio reads the grid and makes sure that it is the portfolio's of the address.
func (s *site) gridOfPortfolio(ctx context.Context, r *http.Request, q url.Values) (*budget.GridView, error) {
	in, err := s.askedGrid(r, q)
	if err != nil {
		return nil, err
	}
	grid, err := budget.Grid(ctx, s.store, in)
	if err != nil {
		return nil, err
	}
	if id := r.PathValue("id"); in.Plan != nil && id != grid.Portfolio.Slug && id != grid.Portfolio.ID.String() && !strings.EqualFold(id, grid.Portfolio.Key) {
		return nil, errs.NotFound()
	}
	return grid, nil
}

// sheetRow is one figure of one line in a view.
type sheetRow struct {
	field budget.Field // "" for what was spent, which nobody types
	label string
	of    func(budget.Cell) *money.Amount
	may   func(budget.Cell) bool
}

func posted(c budget.Cell) bool { return c.Closed && c.Actual != nil }

// sheetRows are the rows each line has in a view, as on the page.
func sheetRows(show budget.View) []sheetRow {
	plan := sheetRow{budget.Planned, "budgetpage.figure.PLANNED", func(c budget.Cell) *money.Amount { return c.Planned }, func(c budget.Cell) bool { return c.MayPlan }}
	forecast := sheetRow{budget.Forecast, "budgetpage.figure.FORECAST", func(c budget.Cell) *money.Amount { return c.Forecast }, func(c budget.Cell) bool { return c.MayForecast }}
	switch show {
	case budget.ViewPlan:
		return []sheetRow{plan}
	case budget.ViewForecast:
		forecast.of = func(c budget.Cell) *money.Amount {
			if posted(c) {
				return c.Actual
			}
			return c.Forecast
		}
		forecast.may = func(c budget.Cell) bool { return c.MayForecast && !posted(c) }
		return []sheetRow{forecast}
	}
	spent := sheetRow{"", "budgetpage.figure.ACTUAL", func(c budget.Cell) *money.Amount { return c.Actual }, func(budget.Cell) bool { return false }}
	return []sheetRow{plan, forecast, spent}
}

// seenCell is what a cell held when the workbook was made.
type seenCell struct {
	Version int           `json:"v,omitempty"`
	Amount  *money.Amount `json:"a,omitempty"`
}

// budgetXLSX sends the grid of the view as a workbook that may come back.
func (s *site) budgetXLSX(w http.ResponseWriter, r *http.Request) error {
	v := viewer.From(r.Context())
	if !access.May(v, "BudgetPlan", access.Read) {
		return errs.NotFound()
	}
	if access.ForExport(v, "BudgetCell").Empty() {
		return errs.Forbidden()
	}
	ctx := viewer.With(r.Context(), takeout.Taking(v))
	grid, err := s.gridOfPortfolio(ctx, r.WithContext(ctx), r.URL.Query())
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	say := func(key string) string { return i18n.T(lang, key) }
	var columns []sheet.Column
	for _, name := range hiddenColumns {
		columns = append(columns, sheet.Column{Title: name, Hidden: true})
	}
	columns = append(columns, sheet.Column{Title: view.PlanWord(ctx), Width: 28}, sheet.Column{Title: say("budgetpage.group"), Width: 20},
		sheet.Column{Title: say("files.line"), Width: 32}, sheet.Column{Title: say("budgetpage.currency")}, sheet.Column{Title: say("files.figure")})
	frozen := len(columns)
	for _, c := range grid.Columns {
		columns = append(columns, sheet.Column{Title: periodTitle(c), Width: 16})
	}
	book := sheet.NewBook()
	defer book.Close()
	page, err := book.Page(say("budgetpage.title"), columns, sheet.Options{Protected: true, Freeze: frozen})
	if err != nil {
		return err
	}
	n := 0
	for _, g := range grid.Groups {
		i := slices.IndexFunc(grid.Plans, func(p budget.Plan) bool { return p.ID == g.PlanID })
		for _, line := range g.Lines {
			for _, row := range sheetRows(grid.Show) {
				n++
				if err := page.Row(gridRow(ctx, grid, grid.Plans[i].Name, view.GroupTitle(ctx, grid, g), line, row)...); err != nil {
					return err
				}
			}
		}
	}
	err = s.store.Tx(r.Context(), func(ctx context.Context, _ *ent.Client) error {
		about := map[string]any{"rows": n, "format": "xlsx", "query": r.URL.RawQuery}
		return store.Note(ctx, event.Change(event.Exported, store.Change{Entity: "BudgetCell", Portfolio: grid.Portfolio.ID, Reason: i18n.T(i18n.English, "web.exported", "n", n)}, about))
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", sheet.Media)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="budget-%s-%d.xlsx"`, grid.Portfolio.Slug, grid.FiscalYear))
	out := bufio.NewWriter(w)
	return s.finished(r, out, book.Send(out))
}

// periodTitle is 2026-04, or 2026-04 – 2026-06 for what spans several months.
func periodTitle(c budget.Column) string {
	if c.Months <= 1 {
		return c.Period.String()
	}
	return c.Period.String() + " – " + c.Period.Add(c.Months-1).String()
}

// gridRow is one row of the workbook. Cells that are not to be changed are grey and locked.
func gridRow(ctx context.Context, grid *budget.GridView, plan, group string, line budget.Line, row sheetRow) []sheet.Cell {
	lang := i18n.From(ctx)
	name := line.Name
	if lang == i18n.French && line.NameFr != "" {
		name = line.NameFr
	}
	held := map[civil.Period]seenCell{}
	amounts := make([]sheet.Cell, len(grid.Columns))
	for i := range amounts {
		amounts[i] = sheet.Cell{}.Grey().Locked() // within the span of a coarser plan
	}
	at := 0
	for _, c := range line.Cells {
		cell := sheet.Cell{}
		if a := row.of(c); a != nil {
			cell = sheet.Amount(*a, line.Currency, lang)
		}
		if !row.may(c) {
			cell = cell.Grey().Locked()
		}
		held[c.Period] = seenCell{c.Version, row.of(c)}
		if at < len(amounts) {
			amounts[at] = cell
		}
		at += max(c.Span, 1)
	}
	state, _ := json.Marshal(held) // texts and numbers always encode
	out := []sheet.Cell{sheet.Text(line.ID.String()), sheet.Text(string(row.field)), sheet.Text(string(state)), sheet.Text(plan), sheet.Text(group),
		sheet.Text(name), sheet.Text(line.Currency), sheet.Text(i18n.T(lang, row.label))}
	for i := range out {
		out[i] = out[i].Locked()
	}
	return append(out, amounts...)
}

// sheetMax is how large an uploaded workbook may be.
const sheetMax = 25 << 20

// budgetUpload reads a workbook of the grid and shows what it would change; nothing is
// written.
func (s *site) budgetUpload(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if !access.May(viewer.From(ctx), "BudgetCell", access.Write) {
		return errs.NotFound()
	}
	patient(w)
	r.Body = http.MaxBytesReader(w, r.Body, sheetMax+1<<20)
	content, err := uploaded(r)
	if err != nil {
		return err
	}
	grid, err := s.gridOfPortfolio(ctx, r, r.Form)
	if err != nil {
		return err
	}
	found, err := readSheet(i18n.From(ctx), grid, content)
	var refused *sheet.Refused
	if errors.As(err, &refused) {
		err = errs.Invalid("file", refused.Key, refused.Args...)
	}
	p := s.comparison(r, grid)
	if err != nil {
		e := errs.As(err)
		if e.Code != errs.Validation {
			return err
		}
		p.Refused = sentence(ctx, e)
		return s.showComparison(w, r, http.StatusUnprocessableEntity, p)
	}
	p.Changes, p.Problems, p.Count, p.Broken = found.changes, found.problems, len(found.edits), len(found.problems)
	p.Cells, err = encodeEdits(found.edits)
	if err != nil {
		return err
	}
	return s.showComparison(w, r, http.StatusOK, p)
}

// uploaded is the file of a form.
func uploaded(r *http.Request) ([]byte, error) {
	err := r.ParseMultipartForm(1 << 20)
	if r.MultipartForm != nil {
		defer r.MultipartForm.RemoveAll()
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, errs.Invalid("file", "files.too_large", "max", sheetMax>>20)
	}
	if err != nil {
		return nil, errs.New(errs.Validation, "attachment.no_file").Wrap(err)
	}
	in, head, err := r.FormFile("file")
	if err != nil {
		return nil, errs.New(errs.Validation, "attachment.no_file").Wrap(err)
	}
	defer in.Close()
	if head.Size > sheetMax {
		return nil, errs.Invalid("file", "files.too_large", "max", sheetMax>>20)
	}
	return io.ReadAll(in)
}

// comparison is the page of what a workbook would change, without its findings.
func (s *site) comparison(r *http.Request, grid *budget.GridView) view.Comparison {
	p := view.Comparison{Sheet: s.sheet(r, grid), Plan: r.Form.Get("plan")}
	p.Grid = p.Path + "?fy=" + strconv.Itoa(grid.FiscalYear) + "&show=" + strings.ToLower(string(grid.Show))
	if p.Plan != "" {
		p.Grid = "/budget-plans/" + url.PathEscape(grid.Plans[0].Key) + "?show=" + strings.ToLower(string(grid.Show))
	}
	return p
}

func (s *site) showComparison(w http.ResponseWriter, r *http.Request, status int, p view.Comparison) error {
	ctx := r.Context()
	title := i18n.C(ctx, "files.compare")
	crumbs := append(s.portfolioCrumbs(ctx, p.Portfolio), layout.Crumb{Label: i18n.C(ctx, "budgetpage.title"), Href: p.Grid}, layout.Crumb{Label: title})
	return s.show(w, r, status, s.frame(r, title, crumbs...), view.Compare(p))
}

// budgetApply writes the cells that the page before it showed, all in one step that can
// be taken back.
func (s *site) budgetApply(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if !access.May(viewer.From(ctx), "BudgetCell", access.Write) {
		return errs.NotFound()
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<20)
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Limit, "budgetpage.too_large").Wrap(err)
	}
	grid, err := s.gridOfPortfolio(ctx, r, r.Form)
	if err != nil {
		return err
	}
	in, err := readCells([]byte(r.PostFormValue("cells")))
	if err != nil {
		return err
	}
	p := s.comparison(r, grid)
	if r.PostFormValue("broken") != "" && r.PostFormValue("skip") == "" { // ask again, with the same cells
		p.Refused, p.Cells, p.Count = i18n.C(ctx, "files.choose"), r.PostFormValue("cells"), len(in.Cells)
		if p.Broken, err = strconv.Atoi(r.PostFormValue("broken")); err != nil || p.Broken < 1 {
			p.Broken = 1
		}
		return s.showComparison(w, r, http.StatusUnprocessableEntity, p)
	}
	out, err := budget.SetCells(ctx, s.store, in)
	if err != nil {
		e := errs.As(store.Known(err))
		if e.Code != errs.Conflict && e.Code != errs.State && e.Code != errs.Validation && e.Code != errs.Limit {
			return err
		}
		p.Refused = i18n.ErrorC(ctx, e)
		for _, f := range i18n.Fields(i18n.From(ctx), e) {
			p.Problems = append(p.Problems, view.Problem{Reason: f.Text})
		}
		return s.showComparison(w, r, statuses[e.Code], p)
	}
	s.flash(w, "entity.saved", out.UndoToken)
	return leave(w, r, p.Grid)
}

// sheetFindings are what a workbook says otherwise than the grid.
type sheetFindings struct {
	edits    []budget.CellEdit
	changes  []view.Change
	problems []view.Problem
}

// encodeEdits writes edits as the grid sends them.
func encodeEdits(edits []budget.CellEdit) (string, error) {
	type cell struct {
		LineID  ident.ID     `json:"lineId"`
		Period  civil.Period `json:"period"`
		Field   budget.Field `json:"field"`
		Amount  *string      `json:"amount"`
		Version int          `json:"version"`
	}
	list := make([]cell, len(edits))
	for i, e := range edits {
		list[i] = cell{e.LineID, e.Period, e.Field, exact(e.Amount), e.Version}
	}
	b, err := json.Marshal(map[string]any{"cells": list})
	return string(b), err
}

// gridSheet compares the rows of a workbook with the grid as it is now.
type gridSheet struct {
	sheetFindings
	lang    string
	grid    *budget.GridView
	lines   map[ident.ID]budget.Line
	rows    map[budget.Field]sheetRow
	periods map[int]civil.Period // by column, counted from 0
	last    int                  // the last column with a period
	seen    map[string]bool
}

// readSheet reads a workbook that the grid gave, edited or not.
func readSheet(lang string, grid *budget.GridView, content []byte) (*sheetFindings, error) {
	book, err := sheet.Open(content, "", 400)
	if err != nil {
		return nil, err
	}
	g := &gridSheet{lang: lang, grid: grid, lines: map[ident.ID]budget.Line{}, rows: map[budget.Field]sheetRow{}, periods: map[int]civil.Period{}, seen: map[string]bool{}}
	for _, group := range grid.Groups {
		for _, line := range group.Lines {
			g.lines[line.ID] = line
		}
	}
	for _, row := range sheetRows(grid.Show) {
		if row.field != "" {
			g.rows[row.field] = row
		}
	}
	head := false
	for {
		rec, err := book.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !head {
			if head = g.header(rec.Cells); !head {
				return nil, errs.Invalid("file", "files.not_this_grid")
			}
			continue
		}
		g.row(rec)
	}
	if !head {
		return nil, errs.Invalid("file", "files.not_this_grid")
	}
	return &g.sheetFindings, nil
}

// header finds the periods; it reports whether the row is the header of a grid.
func (g *gridSheet) header(cells []string) bool {
	if len(cells) <= describing || !slices.Equal(cells[:describing], hiddenColumns[:]) {
		return false
	}
	for i, title := range cells {
		first, _, _ := strings.Cut(title, " ")
		if p, err := civil.ParsePeriod(first); err == nil && i >= describing {
			g.periods[i], g.last = p, i
		}
	}
	return len(g.periods) > 0
}

// row compares one row, cell by cell.
func (g *gridSheet) row(rec sheet.Record) {
	get := func(i int) string {
		if i < len(rec.Cells) {
			return strings.TrimSpace(rec.Cells[i])
		}
		return ""
	}
	field := budget.Field(get(figureColumn))
	if get(lineColumn) != "" && field == "" {
		return // what was spent, which nobody types
	}
	line, known := g.lines[ident.ID(get(lineColumn))]
	row, shown := g.rows[field]
	var held map[civil.Period]seenCell
	readable := json.Unmarshal([]byte(get(stateColumn)), &held) == nil
	twice := g.seen[string(line.ID)+string(field)]
	g.seen[string(line.ID)+string(field)] = true
	for column := describing; column <= g.last; column++ {
		period, ok := g.periods[column]
		text := get(column)
		if !ok {
			continue
		}
		refuse := func(key string, args ...any) {
			g.problems = append(g.problems, view.Problem{Address: sheet.Address(column+1, rec.Row), Value: text, Reason: i18n.T(g.lang, key, args...)})
		}
		if !known || !shown || !readable || twice {
			if text == "" {
				continue
			}
			switch {
			case !known || !shown:
				refuse("files.no_line")
			case twice:
				refuse("files.twice")
			default:
				refuse("files.no_state")
			}
			break // the row is named once
		}
		g.cell(line, row, period, held, text, slices.Contains(rec.Errors, column), column, rec.Row, refuse)
	}
}

// cell compares one cell with what the workbook held when it was made, and that with
// what is stored now.
func (g *gridSheet) cell(line budget.Line, row sheetRow, period civil.Period, held map[civil.Period]seenCell, text string, wrong bool, column, at int, refuse func(string, ...any)) {
	i := slices.IndexFunc(line.Cells, func(c budget.Cell) bool { return c.Period == period })
	was, known := held[period]
	if i < 0 || !known {
		if text != "" {
			refuse("files.no_period")
		}
		return
	}
	now := line.Cells[i]
	if wrong {
		refuse("import.fault.cell_error")
		return
	}
	amount, err := readAmount(text, g.lang, line.Currency)
	if err != nil {
		refuse(amountFault(err))
		return
	}
	if sameAmount(amount, was.Amount) {
		return
	}
	switch {
	case !row.may(now):
		key := "files.locked"
		if now.Closed {
			key = "files.closed"
		}
		refuse(key)
		return
	case now.Version != was.Version:
		if !sameAmount(amount, row.of(now)) {
			refuse("files.changed", "was", shownAmount(g.lang, was.Amount, line.Currency), "now", shownAmount(g.lang, row.of(now), line.Currency))
		}
		return
	}
	g.edits = append(g.edits, budget.CellEdit{LineID: line.ID, Period: period, Field: row.field, Amount: amount, Version: now.Version})
	g.changes = append(g.changes, view.Change{Address: sheet.Address(column+1, at), Line: line.Name, Period: period.String(), Figure: i18n.T(g.lang, row.label),
		Before: shownAmount(g.lang, was.Amount, line.Currency), After: shownAmount(g.lang, amount, line.Currency)})
}

// readAmount reads a number, or words as the grid takes them; nothing is no amount.
func readAmount(text, lang, currency string) (*money.Amount, error) {
	if text == "" {
		return nil, nil
	}
	a, err := money.Parse(text)
	if err != nil {
		a, err = money.ParseInputFor(text, lang, currency)
	}
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// amountFault says in the words of a report why a cell is no amount.
func amountFault(err error) string {
	switch errs.As(err).Key {
	case "error.money.decimals":
		return "import.fault.decimals"
	case "error.money.range":
		return "import.fault.range"
	}
	return "import.fault.amount"
}

func sameAmount(a, b *money.Amount) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func shownAmount(lang string, a *money.Amount, currency string) string {
	if a == nil {
		return "–"
	}
	return i18n.Money(lang, *a, currency)
}
