package importer

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// apply writes what the comparison found, in the transaction of its context:
// rows, links, totals, the audit of each row, and the record of the import.
func (c *comparison) apply(client *ent.Client, created, updated map[*Kind][]*item, o Options) error {
	if err := c.write(client, created, updated, o); err != nil {
		return err
	}
	if err := c.totals(created, updated); err != nil {
		return err
	}
	if len(c.report.Faults) > 0 && !o.SkipFaults {
		return errFaults
	}
	return c.keep(client)
}

// write stores rows and links and notes them for the audit.
func (c *comparison) write(client *ent.Client, created, updated map[*Kind][]*item, o Options) error {
	total, done := int64(c.staged.Len()), int64(0)
	sums, err := heldOf(created)
	if err != nil {
		return err
	}
	for _, k := range c.staged.kinds {
		t := tableOf(k.Entity)
		o.tell("write", done, total)
		if k.Guarded {
			if err := c.guarded(client, slices.Concat(created[k], updated[k]), o); err != nil {
				return err
			}
			continue
		}
		if err := c.create(t, created[k], sums); err != nil {
			return err
		}
		if err := c.update(t, updated[k]); err != nil {
			return err
		}
		if err := c.link(t, slices.Concat(created[k], updated[k])); err != nil {
			return err
		}
		if err := c.audit(t, created[k], updated[k]); err != nil {
			return err
		}
		done += int64(len(c.items[k]))
	}
	return nil
}

func (c *comparison) exec(q string, args []any) error {
	_, err := c.store.Raw(c.ctx).ExecContext(c.ctx, spell(c.store.Dialect, q), args...)
	return store.Known(err)
}

// create adds new rows with keys from one reserved block. References among them are set
// when all are there; what a line holds of its cells is added up before.
func (c *comparison) create(t *table, items []*item, sums map[string]*[3]*money.Amount) error {
	if len(items) == 0 {
		return nil
	}
	now, who := time.Now().UTC().Truncate(time.Microsecond), string(c.viewer.ID)
	if t.KeyPrefix != "" {
		first, err := c.store.ReserveKeys(c.ctx, t.KeyPrefix, len(items))
		if err != nil {
			return err
		}
		for i, it := range items {
			it.row[t.index("key")] = store.NumberedKey(t.KeyPrefix, first+int64(i))
		}
	}
	stamps := map[int]any{t.index("created_at"): now, t.index("updated_at"): now, t.index("created_by"): who, t.index("updated_by"): who}
	later := map[string][][]any{}
	for _, it := range items {
		it.derive()
		for i, v := range stamps {
			it.row[i] = v
		}
		for column := range it.record.Later {
			if v := it.row[t.index(column)]; v != nil {
				later[column] = append(later[column], []any{it.row[0], v})
			}
		}
	}
	row := make([]any, len(t.columns))
	err := c.store.Insert(c.ctx, t.Table, t.names(), func(yield func([]any) bool) {
		for _, it := range items {
			for i, v := range it.row {
				row[i] = param(v)
			}
			for column := range it.record.Later {
				row[t.index(column)] = nil
			}
			if held := sums[string(it.id)]; held != nil && t.Name == "BudgetLine" {
				for n, column := range heldColumns {
					row[t.index(column)] = nil
					if held[n] != nil {
						row[t.index(column)] = int64(*held[n])
					}
				}
			}
			if !yield(row) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	for _, column := range Sorted(later) {
		if err := t.updateSQL(c.store.Dialect, []string{column}, later[column], "", c.exec); err != nil {
			return err
		}
	}
	return nil
}

// update sets the columns that changed in any of the rows, in all of them.
func (c *comparison) update(t *table, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	seen := map[int]bool{}
	for _, it := range items {
		it.derive()
		for _, i := range it.changedColumns() {
			seen[i] = true
		}
	}
	var columns []string
	var at []int
	for i, col := range t.columns {
		if seen[i] {
			columns, at = append(columns, col.Name), append(at, i)
		}
	}
	rows := make([][]any, len(items))
	for n, it := range items {
		rows[n] = []any{it.row[0]}
		for _, i := range at {
			rows[n] = append(rows[n], it.row[i])
		}
	}
	return t.updateSQL(c.store.Dialect, columns, rows, stampOf(c.viewer.ID), c.exec)
}

// stampOf is who updated_by names.
func stampOf(id ident.ID) string {
	if id == "" {
		return nobody
	}
	return string(id)
}

// link adds rows to the tables of many-to-many edges.
func (c *comparison) link(t *table, items []*item) error {
	rows := map[string][][]any{}
	for _, it := range items {
		for edge, to := range it.links {
			for _, id := range to {
				rows[edge] = append(rows[edge], []any{string(it.id), string(id)})
			}
		}
	}
	for _, edge := range Sorted(rows) {
		x, _ := t.Edge(edge)
		if err := c.store.Insert(c.ctx, x.Table, x.Columns, slices.Values(rows[edge])); err != nil {
			return err
		}
	}
	return nil
}

// unaudited are columns whose change says nothing.
var unaudited = map[string]bool{"id": true, "version": true, "created_at": true, "created_by": true,
	"updated_at": true, "updated_by": true}

// audit writes one change for each row to the record.
func (c *comparison) audit(t *table, created, updated []*item) error {
	return c.store.NoteMany(c.ctx, func(yield func(store.Change) bool) {
		for _, it := range created {
			if !yield(it.change(store.OpCreate, 1)) {
				return
			}
		}
		for _, it := range updated {
			v, _ := it.old[t.index("version")].(int64)
			if !yield(it.change(store.OpUpdate, int(v)+1)) {
				return
			}
		}
	})
}

// change is the audit's view of what happens to an item.
func (it *item) change(op store.Op, version int) store.Change {
	p := it.place()
	return store.Change{Op: op, Entity: it.table.Name, ID: it.id, Version: version,
		Portfolio: p.Portfolio, Product: p.Product, Vendor: p.Vendor, Written: it.diff(op == store.OpDelete)}
}

// diff writes what changes as json.Marshal would write store.Change.Diff. What is removed
// was there before, all else is there afterwards.
func (it *item) diff(removed bool) []byte {
	t := it.table
	b := append(make([]byte, 0, 640), '{')
	pair := func(name string, before, after any) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":[`...)
		b = append(appendJSON(append(appendJSON(b, before), ','), after), ']')
	}
	for _, edge := range Sorted(it.links) { // + comes before all letters
		if ids := it.links[edge]; len(ids) > 0 {
			pair("+"+edge, nil, ids)
		}
	}
	for _, i := range t.sorted {
		name, after := t.columns[i].Name, it.row[i]
		switch {
		case unaudited[name]:
		case it.old != nil:
			if before := it.old[i]; before != after {
				pair(name, t.shownAs(i, before), t.shownAs(i, after))
			}
		case blank(after):
		case removed:
			pair(name, t.shownAs(i, after), nil)
		default:
			pair(name, nil, t.shownAs(i, after))
		}
	}
	return append(b, '}')
}

// appendJSON is json.Marshal without its detours for what most values are.
func appendJSON(b []byte, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		if plain(x) {
			return append(append(append(b, '"'), x...), '"')
		}
	case int64:
		return strconv.AppendInt(b, x, 10)
	case bool:
		return strconv.AppendBool(b, x)
	case money.Amount:
		return append(append(append(b, '"'), x.String()...), '"')
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // of texts, numbers, times and JSON there is always a JSON form
	}
	return append(b, raw...)
}

// plain reports whether JSON writes a text as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

func blank(v any) bool { return v == nil || v == "" || v == int64(0) || v == false }

// keepLimit bounds what a stored report lists of each kind of remark; the counts
// beside the lists stay whole.
const keepLimit = 5000

// keep stores the import itself: its files, its report, the change set it is
// taken back by, and the portfolio when there is only one.
func (c *comparison) keep(client *ent.Client) error {
	short := *c.report
	short.Faults = short.Faults[:min(keepLimit, len(short.Faults))]
	short.Warnings = short.Warnings[:min(keepLimit, len(short.Warnings))]
	short.Duplicates = short.Duplicates[:min(keepLimit, len(short.Duplicates))]
	raw, err := short.Keep()
	if err != nil {
		return err
	}
	var report map[string]any
	if err := json.Unmarshal(raw, &report); err != nil {
		return err
	}
	report["hashes"] = c.staged.Hashes
	report["counts"] = map[string]int{"faults": len(c.report.Faults), "warnings": len(c.report.Warnings),
		"duplicates": len(c.report.Duplicates)}
	report["guarded"] = slices.ContainsFunc(c.staged.kinds, func(k *Kind) bool { return k.Guarded })
	b := client.ImportBatch.Create().SetFormat(c.report.Format).SetFiles(c.report.Files).
		SetChangeSet(c.report.ChangeSet).SetReport(report).SetActorName(c.viewer.Name)
	if only := c.onlyPortfolio(); only != "" {
		b.SetPortfolioID(only)
	}
	return b.Exec(elevated(c.ctx))
}

// onlyPortfolio returns the portfolio in which all rows lie, or "".
func (c *comparison) onlyPortfolio() (only ident.ID) {
	if c.parts != nil {
		return c.parts.only()
	}
	for _, items := range c.items {
		for _, it := range items {
			p := it.place().Portfolio
			if !it.blocked.IsZero() || p == "" {
				continue
			}
			if only != "" && only != p {
				return ""
			}
			only = p
		}
	}
	return only
}
