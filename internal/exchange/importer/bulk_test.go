package importer_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/budgetplan"
	"steward/ent/portfolio"
	"steward/internal/area/budget"
	"steward/internal/exchange/importer"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// cellFile is a format whose rows are cells, so that a line is mentioned by many of them.
type cellFile struct{}

var (
	cellHome = &importer.Kind{Entity: "Portfolio"}
	cellPlan = &importer.Kind{Entity: "BudgetPlan", OnCreate: importer.Values{"status": "APPROVED", "period_length": "MONTH", "current": true}}
	cellLine = &importer.Kind{Entity: "BudgetLine"}
	cellCell = &importer.Kind{Entity: "BudgetCell", Match: []string{"line_id", "period"}}
)

func (cellFile) Name() string                                   { return "cells" }
func (cellFile) Open(importer.Options) (importer.Parser, error) { return cellFile{}, nil }
func (cellFile) Source() string                                 { return "ledger" }
func (cellFile) Kinds() []*importer.Kind {
	return []*importer.Kind{cellHome, cellPlan, cellLine, cellCell}
}
func (cellFile) Columns() []importer.Column {
	return []importer.Column{importer.Need("office", "office"), importer.Need("year", "year"), importer.Need("line", "line"), importer.Need("name", "name"),
		importer.Need("period", "period"), importer.Need("planned", "planned"), importer.Need("actual", "actual")}
}

func (cellFile) Row(r *importer.Row) {
	office, year, line := r.Must("office"), r.Must("year"), r.Must("line")
	home := r.Mention(cellHome, office, importer.Values{"name": "Office " + office})
	plan := r.Mention(cellPlan, office+"/"+year, importer.Values{"portfolio_id": home, "name": year, "fiscal_year": 2026, "currency": "CAD"})
	of := r.Mention(cellLine, office+"/"+year+"/"+line, importer.Values{"plan_id": plan, "portfolio_id": home, "name": r.Text("name"), "code": line, "position": len(line),
		"outlook": importer.JSONOf(map[string]string{"next": "<" + line + ">"}), "quantity_planned": money.Amount(15_000)})
	r.Put(cellCell, office+"/"+year+"/"+line+"/"+r.Text("period"), importer.Values{"line_id": of, "portfolio_id": home,
		"period": civil.Period(r.Text("period")), "planned": r.Money("planned", 1), "actual": r.Money("actual", 1)})
}

// cellRow is a row of such a file.
type cellRow struct{ office, line, name, period, planned, actual string }

func cellRows() (list []cellRow) {
	names := []string{"Plain", `Quoted "twice"`, "Häuser & <Gärten>", "Back\\slash", "Two\nlines", "Tab\there", "日本 😀"}
	for i := range 90 {
		r := cellRow{fmt.Sprint(1 + i%2), fmt.Sprint("L", i%15), names[i%15%len(names)], fmt.Sprintf("2026-%02d", 4+i/15), fmt.Sprint(100+i, ".25"), ""}
		if i%4 == 0 {
			r.actual = fmt.Sprint("-", i)
		}
		if i%15 == 14 { // a line without any plan
			r.planned = ""
		}
		list = append(list, r)
	}
	return list
}

func cellText(list []cellRow) string {
	var b strings.Builder
	b.WriteString("office,year,line,name,period,planned,actual\n")
	for _, r := range list {
		fmt.Fprintf(&b, "%s,2026-27,%s,\"%s\",%s,%s,%s\n", r.office, r.line, strings.ReplaceAll(r.name, `"`, `""`), r.period, r.planned, r.actual)
	}
	return b.String()
}

// throughGuards stores the rows as any other write would, each by itself.
func throughGuards(t *testing.T, s *store.Store, list []cellRow) {
	t.Helper()
	budget.Install(s)
	v := viewer.NewSystem(viewer.ViaImport, "operator")
	ctx := viewer.With(context.Background(), v)
	amount := func(text string) *money.Amount {
		if text == "" {
			return nil
		}
		a, err := money.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return &a
	}
	var homes, plans, lines []string
	at := map[string]ident.ID{}
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		for _, r := range list { // kind by kind, as an import does
			if !slices.Contains(homes, r.office) {
				homes = append(homes, r.office)
				p, err := c.Portfolio.Create().SetName("Office " + r.office).SetOrigin(portfolio.OriginIMPORTED).SetSource("ledger").SetExternalID(r.office).Save(ctx)
				if err != nil {
					return err
				}
				at[r.office] = p.ID
			}
		}
		for _, r := range list {
			id := r.office + "/2026-27"
			if !slices.Contains(plans, id) {
				plans = append(plans, id)
				p, err := c.BudgetPlan.Create().SetPortfolioID(at[r.office]).SetName("2026-27").SetFiscalYear(2026).SetCurrency("CAD").SetStatus(budgetplan.StatusAPPROVED).
					SetPeriodLength(budgetplan.PeriodLengthMONTH).SetCurrent(true).SetOrigin(budgetplan.OriginIMPORTED).SetSource("ledger").SetExternalID(id).Save(ctx)
				if err != nil {
					return err
				}
				at[id] = p.ID
			}
		}
		for _, r := range list {
			id := r.office + "/2026-27/" + r.line
			if !slices.Contains(lines, id) {
				lines = append(lines, id)
				l, err := c.BudgetLine.Create().SetPlanID(at[r.office+"/2026-27"]).SetPortfolioID(at[r.office]).SetName(r.name).SetCode(r.line).SetPosition(len(r.line)).
					SetOutlook(map[string]any{"next": "<" + r.line + ">"}).SetQuantityPlanned(15_000).SetOrigin("IMPORTED").SetSource("ledger").SetExternalID(id).Save(ctx)
				if err != nil {
					return err
				}
				at[id] = l.ID
			}
		}
		for _, r := range list {
			if err := c.BudgetCell.Create().SetLineID(at[r.office+"/2026-27/"+r.line]).SetPortfolioID(at[r.office]).SetPeriod(civil.Period(r.period)).
				SetNillablePlanned(amount(r.planned)).SetNillableActual(amount(r.actual)).Exec(ctx); err != nil {
				return err
			}
		}
		for _, q := range []string{`UPDATE budget_lines SET (planned_total, forecast_total, actual_total) = (SELECT CAST(SUM(planned) AS bigint), CAST(SUM(forecast) AS bigint), CAST(SUM(actual) AS bigint)
			FROM budget_cells c WHERE c.line_id = budget_lines.id)`, `UPDATE budget_plans SET ` + budget.Sums} {
			if _, err := s.Raw(ctx).ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dump is all that the tables hold, with names for ids, without instants and what counts transactions.
func dump(t *testing.T, s *store.Store) string {
	t.Helper()
	var names []string
	for _, q := range []string{"SELECT id, external_id FROM portfolios", "SELECT id, external_id FROM budget_plans", "SELECT id, external_id FROM budget_lines",
		"SELECT c.id, l.external_id || '/' || c.period FROM budget_cells c JOIN budget_lines l ON l.id = c.line_id"} {
		each(t, s, q, func(_ []string, v []any) { names = append(names, fmt.Sprint(v[0]), fmt.Sprint(v[1])) })
	}
	name := strings.NewReplacer(names...)
	var out []string
	for _, table := range []string{"portfolios", "budget_plans", "budget_lines", "budget_cells", "change_events WHERE entity_type <> 'ImportBatch'", "outbox_events"} {
		each(t, s, "SELECT * FROM "+table, func(columns []string, v []any) {
			var b strings.Builder
			b.WriteString(table)
			for i, c := range columns {
				switch {
				case c == "at" || c == "created_at" || c == "updated_at" || c == "change_set" || c == "tx_id":
				case c == "id" && (strings.HasPrefix(table, "change_events") || table == "outbox_events"):
				default:
					fmt.Fprintf(&b, " %s=%v", c, v[i])
				}
			}
			out = append(out, ofTheImport.ReplaceAllString(name.Replace(b.String()), ""))
		})
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// ofTheImport is what an event says of the import itself, which the guards were not asked to make.
var ofTheImport = regexp.MustCompile(`, ?"ImportBatch.CREATE": ?1`)

// each gives every row of a query to f.
func each(t *testing.T, s *store.Store, q string, f func(columns []string, values []any)) {
	t.Helper()
	rows, err := s.DB.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plain := make([]any, len(columns))
		for i, v := range values {
			if plain[i] = "NULL"; v.Valid {
				plain[i] = v.String
			}
		}
		f(columns, plain)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// What an import stores in bulk is what the guards would have stored row by row: the rows with their versions,
// stamps and totals, the record of changes, and the event.
func TestBulkEqualsTheGuards(t *testing.T) {
	list := cellRows()
	file := []importer.File{importer.Bytes("cells.csv", []byte(cellText(list)))}
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		throughGuards(t, s, list)
		want := dump(t, s)
		if n := strings.Count(want, "change_events"); n != 2+2+30+90 {
			t.Fatalf("%d audit rows:\n%s", n, want)
		}
		bulk := testkit.OpenURL(t, fresh(t, s))
		run(t, bulk, cellFile{}, file, apply)
		differ(t, "in one piece", dump(t, bulk), want)
		if n := one(t, bulk, "SELECT COUNT(*) FROM outbox_events"); n != "1" {
			t.Errorf("%s events", n)
		}
		importer.Small(t, 50, 17) // a line's cells lie in several parts
		parts := testkit.OpenURL(t, fresh(t, s))
		run(t, parts, cellFile{}, file, apply)
		differ(t, "in parts", dump(t, parts), want)
		if again := run(t, parts, cellFile{}, file, apply); len(again.Created)+len(again.Updated) != 0 {
			t.Errorf("the same again creates %v and updates %v", again.Created, again.Updated)
		}
		sealed(t, parts)
	})
}

// sealed seals the record of changes and verifies it: what was written in bulk reads back as it was written.
func sealed(t *testing.T, s *store.Store) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // rows are sealed when no older transaction is left
		if _, err := s.Seal(context.Background()); err != nil {
			t.Fatal(err)
		}
		r, err := s.VerifyAudit(testkit.System(), "")
		if err != nil || r.Broken != "" || time.Now().After(deadline) {
			t.Fatalf("%+v %v", r, err)
		}
		if r.Unsealed == 0 && r.Sealed > 0 {
			return
		}
	}
}

// differ says in which lines two dumps differ.
func differ(t *testing.T, what, got, want string) {
	t.Helper()
	have, wanted := strings.Split(got, "\n"), strings.Split(want, "\n")
	shown := 0
	for _, l := range have {
		if !slices.Contains(wanted, l) && shown < 6 {
			shown++
			t.Errorf("%s: too much: %s", what, l)
		}
	}
	for _, l := range wanted {
		if !slices.Contains(have, l) && shown < 12 {
			shown++
			t.Errorf("%s: missing: %s", what, l)
		}
	}
	if shown == 0 && len(have) != len(wanted) {
		t.Errorf("%s: %d lines, not %d", what, len(have), len(wanted))
	}
}
