package main

import (
	"database/sql"
	"html"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// The limit: one prepared statement for each level, scoped by the portfolios of the caller, the
// answer appended to a buffer straight from the rows. Nothing that a product needs besides.
const (
	listSQL   = `SELECT c.id, c.name, c.status, c.value, c.currency, p.name, v.name FROM contracts c JOIN portfolios p ON p.id = c.portfolio_id JOIN vendors v ON v.id = c.vendor_id WHERE c.archived_at IS NULL AND c.portfolio_id = ANY($1) AND c.portfolio_id = $2 ORDER BY c.name, c.id LIMIT 50`
	rootSQL   = `SELECT id, name, key FROM portfolios WHERE id = ANY($1) AND key = $2`
	treeSQL   = `SELECT id, name, stage FROM products WHERE archived_at IS NULL AND portfolio_id = ANY($1) AND portfolio_id = $2 ORDER BY id LIMIT 40`
	leafSQL   = `SELECT x.product_id, c.id, c.name, c.reference, to_char(c.start_on, 'YYYY-MM-DD'), to_char(c.end_on, 'YYYY-MM-DD'), c.value, v.id, v.name FROM contract_products x JOIN contracts c ON c.id = x.contract_id JOIN vendors v ON v.id = c.vendor_id WHERE c.archived_at IS NULL AND c.portfolio_id = ANY($1) AND x.product_id = ANY($2) ORDER BY x.product_id, c.id`
	pageSQL   = `SELECT id, name, code, planned_total, actual_total FROM budget_lines WHERE archived_at IS NULL AND portfolio_id = ANY($1) AND (name, id) > ($2, $3) ORDER BY name, id LIMIT 50`
	recordSQL = `SELECT p.id, p.key, p.name, p.stage, p.criticality, p.summary, f.id, f.name FROM products p JOIN portfolios f ON f.id = p.portfolio_id WHERE p.portfolio_id = ANY($1) AND p.key = $2`
	totalsSQL = `SELECT fiscal_year::text, currency, sum(line_count)::text, sum(planned_total)::bigint, sum(actual_total)::bigint FROM budget_plans WHERE portfolio_id = ANY($1) AND portfolio_id = (SELECT id FROM portfolios WHERE key = $2) AND current AND archived_at IS NULL GROUP BY fiscal_year, currency ORDER BY 1, 2`
	linesSQL  = `SELECT id, code, name, group_name, planned_total, forecast_total, actual_total, version FROM budget_lines WHERE plan_id = $2 AND portfolio_id = ANY($1) AND archived_at IS NULL ORDER BY group_name, position, id`
	cellsSQL  = `SELECT line_id, period, planned, forecast, actual, version FROM budget_cells c WHERE portfolio_id = ANY($1) AND line_id IN (SELECT id FROM budget_lines WHERE plan_id = $2) ORDER BY line_id, period`
	// version, totals of line and plan, record of the change, event and idempotency key in one statement
	writeSQL = `WITH o AS (SELECT c.id, c.line_id, c.forecast, c.portfolio_id, c.product_id, l.plan_id FROM budget_cells c JOIN budget_lines l ON l.id = c.line_id JOIN budget_plans b ON b.id = l.plan_id
		WHERE c.line_id = $2 AND c.period = $3 AND c.portfolio_id = ANY($1) AND b.status IN ('DRAFT', 'RETURNED', 'SUBMITTED', 'APPROVED')
		AND NOT EXISTS (SELECT 1 FROM fiscal_periods f WHERE f.portfolio_id = c.portfolio_id AND f.period = c.period AND f.status = 'CLOSED') FOR UPDATE OF c),
	u AS (UPDATE budget_cells c SET forecast = $4, version = c.version + 1, updated_at = now(), updated_by = 'bench' FROM o WHERE c.id = o.id RETURNING c.id, c.version, c.forecast),
	l AS (UPDATE budget_lines l SET forecast_total = coalesce(l.forecast_total, 0) + $4 - coalesce(o.forecast, 0) FROM o WHERE l.id = o.line_id),
	p AS (UPDATE budget_plans p SET forecast_total = coalesce(p.forecast_total, 0) + $4 - coalesce(o.forecast, 0) FROM o WHERE p.id = o.plan_id),
	a AS (INSERT INTO change_events (id, at, op, entity_type, entity_id, entity_version, portfolio_id, product_id, actor_kind, actor_id, actor_name, via, change_set, diff)
		SELECT 'evl_' || $5, now(), 'UPDATE', 'BudgetCell', u.id, u.version, o.portfolio_id, o.product_id, 'INTEGRATION', 'bench', 'bench', 'api', 'chl_' || $5, jsonb_build_object('forecast', jsonb_build_array(o.forecast, u.forecast)) FROM u, o),
	e AS (INSERT INTO outbox_events (id, created_at, updated_at, type, subject_type, subject_id, portfolio_id, change_set, payload)
		SELECT 'obl_' || $5, now(), now(), 'steward.budget.updated.v1', 'BudgetCell', u.id, o.portfolio_id, 'chl_' || $5, jsonb_build_object('n', 1) FROM u, o),
	k AS (INSERT INTO idempotency_keys (id, created_at, updated_at, owner, idempotency_key, request_hash, response) VALUES ('idl_' || $5, now(), now(), 'limit', $5, '', ''))
	SELECT o.line_id, u.version::text, u.forecast FROM u, o`
)

// limit is the server with its statements.
type limit struct {
	mine                                                pq.StringArray
	list, root, tree, leaf, page, record, totals, write *sql.Stmt
	lines, cells                                        *sql.Stmt
	n                                                   atomic.Int64
	run                                                 string // makes the ids of this process its own
}

func serveLimit(database, address string) error {
	db, err := sql.Open("postgres", database+and(database)+"binary_parameters=yes")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(10)
	db.SetMaxIdleConns(10)
	l := &limit{run: strconv.FormatInt(time.Now().UnixNano(), 36)}
	for i := range own {
		l.mine = append(l.mine, rowID("pfo", i+1))
	}
	for text, into := range map[string]**sql.Stmt{listSQL: &l.list, rootSQL: &l.root, treeSQL: &l.tree, leafSQL: &l.leaf, pageSQL: &l.page, recordSQL: &l.record, totalsSQL: &l.totals, writeSQL: &l.write, linesSQL: &l.lines, cellsSQL: &l.cells} {
		if *into, err = db.Prepare(text); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	for path, answer := range map[string]func(*http.Request, []byte) ([]byte, error){"/list": l.answerList, "/tree": l.answerTree, "/page": l.answerPage, "/record": l.answerRecord, "/totals": l.answerTotals, "/write": l.answerWrite, "/grid": l.answerGrid} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			b, err := answer(r, make([]byte, 0, 16<<10))
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(b)))
			_, _ = w.Write(b)
		})
	}
	s := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return s.ListenAndServe()
}

func and(url string) string {
	for _, c := range url {
		if c == '?' {
			return "&"
		}
	}
	return "?"
}

// rows calls f for each row of a statement with its columns as the database sent them.
func rows(r *http.Request, st *sql.Stmt, columns int, f func([]sql.RawBytes), args ...any) error {
	found, err := st.QueryContext(r.Context(), args...)
	if err != nil {
		return err
	}
	defer found.Close()
	raw, into := make([]sql.RawBytes, columns), make([]any, columns)
	for i := range raw {
		into[i] = &raw[i]
	}
	for found.Next() {
		if err := found.Scan(into...); err != nil {
			return err
		}
		f(raw)
	}
	return found.Err()
}

// object appends an object whose values are the columns named; a name with $ is an amount.
func object(b []byte, names []string, row []sql.RawBytes) []byte {
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		amount := name[0] == '$'
		if amount {
			name = name[1:]
		}
		b = append(append(append(b, '"'), name...), `":`...)
		switch {
		case row[i] == nil:
			b = append(b, "null"...)
		case amount:
			b = money(b, row[i])
		default:
			b = strconv.AppendQuote(b, string(row[i]))
		}
	}
	return append(b, '}')
}

// money appends an amount of four decimals with two.
func money(b []byte, raw []byte) []byte {
	n, _ := strconv.ParseInt(string(raw), 10, 64)
	b = strconv.AppendInt(append(b, '"'), n/10000, 10)
	cents := n / 100 % 100
	return append(b, '.', byte('0'+cents/10), byte('0'+cents%10), '"')
}

func (l *limit) several(r *http.Request, b []byte, st *sql.Stmt, names []string, args ...any) ([]byte, error) {
	b = append(b, '[')
	err := rows(r, st, len(names), func(row []sql.RawBytes) {
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = object(b, names, row)
	}, args...)
	return append(b, ']'), err
}

func (l *limit) answerList(r *http.Request, b []byte) ([]byte, error) {
	return l.several(r, b, l.list, []string{"id", "name", "status", "$value", "currency", "portfolio", "vendor"}, l.mine, r.FormValue("p"))
}

func (l *limit) answerPage(r *http.Request, b []byte) ([]byte, error) {
	return l.several(r, b, l.page, []string{"id", "name", "code", "$planned", "$actual"}, l.mine, r.FormValue("name"), r.FormValue("id"))
}

func (l *limit) answerRecord(r *http.Request, b []byte) ([]byte, error) {
	return l.several(r, b, l.record, []string{"id", "key", "name", "stage", "criticality", "summary", "portfolioId", "portfolio"}, l.mine, r.FormValue("k"))
}

func (l *limit) answerTotals(r *http.Request, b []byte) ([]byte, error) {
	return l.several(r, b, l.totals, []string{"fiscalYear", "currency", "lines", "$planned", "$actual"}, l.mine, r.FormValue("k"))
}

func (l *limit) answerWrite(r *http.Request, b []byte) ([]byte, error) {
	amount, err := strconv.ParseInt(r.FormValue("a"), 10, 64)
	if err != nil {
		return nil, err
	}
	key := l.run + "-" + strconv.FormatInt(l.n.Add(1), 36)
	b, err = l.several(r, b, l.write, []string{"line", "version", "$forecast"}, l.mine, r.FormValue("l"), r.FormValue("p"), amount, key)
	if err == nil && len(b) == 2 {
		err = sql.ErrNoRows
	}
	return b, err
}

// answerTree reads a level at a time and hangs the lower one below the upper.
func (l *limit) answerTree(r *http.Request, b []byte) ([]byte, error) {
	portfolio := ""
	err := rows(r, l.root, 3, func(row []sql.RawBytes) {
		portfolio = string(row[0])
		b = object(b, []string{"id", "name", "key"}, row)
	}, l.mine, r.FormValue("k"))
	if err != nil || portfolio == "" {
		return b, err
	}
	var ids pq.StringArray
	var upper [][]byte
	err = rows(r, l.tree, 3, func(row []sql.RawBytes) {
		ids = append(ids, string(row[0]))
		upper = append(upper, object(nil, []string{"id", "name", "stage"}, row))
	}, l.mine, portfolio)
	if err != nil {
		return b, err
	}
	lower := make(map[string][]byte, len(ids))
	names := []string{"id", "name", "reference", "startOn", "endOn", "$value", "vendorId", "vendor"}
	err = rows(r, l.leaf, 9, func(row []sql.RawBytes) {
		product := string(row[0])
		lower[product] = append(object(lower[product], names, row[1:]), ',')
	}, l.mine, ids)
	if err != nil {
		return b, err
	}
	b = append(b[:len(b)-1], `,"products":[`...)
	for i, p := range upper {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, p[:len(p)-1]...), `,"contracts":[`...)
		if c := lower[ids[i]]; len(c) > 0 {
			b = append(b, c[:len(c)-1]...)
		}
		b = append(b, ']', '}')
	}
	return append(b, ']', '}'), nil
}

// answerGrid is a budget as a bare table: both statements and one pass that writes.
func (l *limit) answerGrid(r *http.Request, b []byte) ([]byte, error) {
	cells := map[string][]byte{}
	err := rows(r, l.cells, 6, func(row []sql.RawBytes) {
		line := cells[string(row[0])]
		line = append(append(append(append(line, `<td data-v="`...), row[5]...), `" data-p="`...), row[1]...)
		line = append(line, `">`...)
		if row[3] != nil {
			line = money(line, row[3])
		}
		cells[string(row[0])] = append(line, "</td>"...)
	}, l.mine, r.FormValue("p"))
	if err != nil {
		return nil, err
	}
	b = append(b, "<table>"...)
	err = rows(r, l.lines, 8, func(row []sql.RawBytes) {
		b = append(append(append(b, `<tr id="`...), row[0]...), `"><th>`...)
		b = append(b, html.EscapeString(string(row[2]))...)
		b = append(append(b, "</th>"...), cells[string(row[0])]...)
		for _, total := range row[4:7] {
			b = append(b, "<td>"...)
			if total != nil {
				b = money(b, total)
			}
			b = append(b, "</td>"...)
		}
		b = append(b, "</tr>"...)
	}, l.mine, r.FormValue("p"))
	return append(b, "</table>"...), err
}
