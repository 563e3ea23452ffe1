package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// item is a staged record beside the stored row it stands for.
type item struct {
	record *Record
	table  *table
	id     ident.ID
	old    []any // the row as it is, nil for a new one
	row    []any // the row as it will be
	links  map[string][]ident.ID
	// blocked is why the viewer may not write the row, and what the file calls
	// the record that is in the way.
	blocked Message
	value   string
	column  string
}

// comparison finds out what an import would change.
type comparison struct {
	ctx    context.Context
	store  *store.Store
	viewer *viewer.Viewer
	staged *Staged
	report *Report
	// lock makes other writers of the rows wait until the transaction ends.
	lock bool

	items map[*Kind][]*item
	found map[*Kind]map[string]*item
	names map[*Kind]map[string]ident.ID // rows that are only looked up
}

// compare resolves all references, finds the stored rows and works out the new
// ones. Rows the viewer may not write become faults.
func compare(ctx context.Context, s *store.Store, staged *Staged, rep *Report, lock bool) (*comparison, error) {
	c := &comparison{ctx: ctx, store: s, viewer: viewer.From(ctx), staged: staged, report: rep, lock: lock,
		items: map[*Kind][]*item{}, found: map[*Kind]map[string]*item{}, names: map[*Kind]map[string]ident.ID{}}
	if c.viewer == nil {
		return nil, store.ErrNoViewer
	}
	if err := c.lookUp(); err != nil {
		return nil, err
	}
	for _, k := range staged.kinds {
		if err := c.kind(k); err != nil {
			return nil, fmt.Errorf("%s: %w", k.Entity, err)
		}
	}
	return c, nil
}

// kind compares all records of one kind; the kinds it refers to are done.
func (c *comparison) kind(k *Kind) error {
	t := tableOf(k.Entity)
	records := c.staged.records[k]
	c.found[k] = make(map[string]*item, len(records))
	for _, r := range records {
		it := &item{record: r, table: t}
		c.items[k] = append(c.items[k], it)
		c.found[k][r.ID] = it
	}
	var err error
	if len(k.Match) == 0 {
		err = c.bySource(k, t)
	} else {
		err = c.byColumns(k, t)
	}
	if err != nil {
		return err
	}
	for _, it := range c.items[k] {
		if it.old == nil {
			it.id = ident.New(t.Prefix)
			if k.Known {
				it.block("import.fault.unknown")
			}
		}
	}
	for _, it := range c.items[k] {
		if err := c.fill(k, it); err != nil {
			return err
		}
		c.rights(it)
	}
	return c.linked(k, t)
}

// fill works out the row of an item: stored values, then what the file says.
func (c *comparison) fill(k *Kind, it *item) error {
	t := it.table
	if it.old != nil {
		it.row = slices.Clone(it.old)
		if k.Guarded && t.has("archived_at") && it.row[t.index("archived_at")] != nil {
			it.row[t.index("archived_at")] = nil
			c.report.Warnings = append(c.report.Warnings, Warning{File: c.report.Files[it.record.File],
				Line: it.record.Line, Reason: Say("import.warning.restored")})
		}
	} else {
		it.row = t.defaults()
		it.row[0] = string(it.id)
		for column, v := range k.OnCreate {
			it.row[t.index(column)] = t.stored(t.index(column), v)
		}
		if t.Sourced {
			it.row[t.index("origin")] = "IMPORTED"
			it.row[t.index("source")] = c.staged.Source
			it.row[t.index("external_id")] = it.record.ID
		}
	}
	for _, from := range []Values{it.record.Values, it.record.Later} {
		for column, v := range from {
			i := t.index(column)
			if ref, ok := v.(Ref); ok {
				id, blocked := c.resolve(ref)
				if blocked != nil {
					it.blocked, it.value, it.column = blocked.blocked, blocked.value, it.record.labels[column]
					continue
				}
				v = string(id)
			}
			if it.old != nil && k.CreateOnly {
				continue
			}
			v = t.stored(i, v)
			if it.old != nil && v != it.old[i] {
				if f, ok := t.Field(column); ok && f.Immutable || it.locked(column) {
					it.blocked, it.value, it.column = Say("import.fault.immutable", "field", column), it.record.ID, it.record.labels[column]
					continue
				}
			}
			it.row[i] = v
		}
	}
	for edge, refs := range it.record.Links {
		for _, ref := range refs {
			id, blocked := c.resolve(ref)
			if blocked != nil {
				it.blocked, it.value = blocked.blocked, blocked.value
				continue
			}
			if it.links == nil {
				it.links = map[string][]ident.ID{}
			}
			it.links[edge] = append(it.links[edge], id)
		}
	}
	return nil
}

// resolve returns the id a reference stands for, or the item that is in the way.
func (c *comparison) resolve(r Ref) (ident.ID, *item) {
	if by, ok := c.names[r.Kind]; ok {
		if id, ok := by[r.ID]; ok {
			return id, nil
		}
		return "", &item{blocked: Say("import.fault.unknown"), value: r.ID}
	}
	it := c.found[r.Kind][r.ID]
	if it == nil {
		panic("importer: a reference to the unstaged " + r.Kind.Entity + " " + r.ID)
	}
	if !it.blocked.IsZero() {
		return "", it
	}
	return it.id, nil
}

// place says where an item's row lies, for the rules of access.
func (it *item) place() access.Row {
	at := func(column string) ident.ID {
		if !it.table.has(column) {
			return ""
		}
		s, _ := it.row[it.table.at[column]].(string)
		return ident.ID(s)
	}
	p := access.Row{Portfolio: at("portfolio_id"), Product: at("product_id"), Vendor: at("vendor_id"), ID: it.id}
	switch it.table.Name {
	case "Portfolio":
		p.Portfolio = it.id
	case "Product":
		p.Product = it.id
	case "Vendor":
		p.Vendor = it.id
	}
	return p
}

// rights blocks an item that the viewer may not write. What they may not read
// either is unknown to them, whether or not it exists.
func (c *comparison) rights(it *item) {
	if !it.blocked.IsZero() || scope.Unrestricted(c.ctx) {
		return
	}
	name, place := it.table.Name, it.place()
	read := access.For(c.viewer, name, access.Read).Includes(place)
	switch {
	case it.record.Kind.CreateOnly && it.old != nil && read:
	case access.For(c.viewer, name, access.Write).Includes(place):
	case name == "Portfolio" && it.old == nil && access.May(c.viewer, name, access.Manage):
		// A new portfolio lies in nobody's reach yet.
	case it.old != nil && read:
		it.block("import.fault.forbidden")
	default:
		it.block("import.fault.unknown")
	}
}

func (it *item) block(key Key) { it.blocked, it.value = Say(key), it.record.ID }

// faults reports the rows that are blocked and takes them out of the totals.
func (c *comparison) faults() error {
	for _, k := range c.staged.kinds {
		for _, it := range c.items[k] {
			if it.blocked.IsZero() || it.record.mode != asRow || it.record.quiet {
				continue
			}
			c.report.Faults = append(c.report.Faults, Fault{File: c.report.Files[it.record.File], Line: it.record.Line,
				Column: it.column, Value: shown(it.value), Reason: it.blocked})
			for _, t := range it.record.totals {
				if err := c.report.add(t.Name, t.Currency, money.Amount(-t.Amount)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// lookUp finds the rows that are referred to and not part of the import.
func (c *comparison) lookUp() error {
	want := map[*Kind]map[string]bool{}
	note := func(v any) {
		if r, ok := v.(Ref); ok && r.Kind.Lookup {
			if want[r.Kind] == nil {
				want[r.Kind] = map[string]bool{}
			}
			want[r.Kind][r.ID] = true
		}
	}
	for _, records := range c.staged.records {
		for _, r := range records {
			for _, v := range r.Values {
				note(v)
			}
			for _, refs := range r.Links {
				for _, v := range refs {
					note(v)
				}
			}
		}
	}
	for k, set := range want {
		ids, err := findRows(c.ctx, c.store, tableOf(k.Entity), k.Match, Sorted(set))
		if err != nil {
			return err
		}
		c.names[k] = ids
	}
	return nil
}

// findRows returns the ids of the rows whose column, the first that fits exactly
// one row the viewer may read, equals a name.
func findRows(ctx context.Context, s *store.Store, t *table, columns, names []string) (map[string]ident.ID, error) {
	out := map[string]ident.ID{}
	for _, column := range columns {
		if !t.has(column) {
			continue
		}
		many := map[string]bool{}
		for chunk := range slices.Chunk(names, idChunk) {
			where, scoped := readable(ctx, s, t.Table, len(chunk)+1)
			q := `SELECT id, "` + column + `" FROM ` + t.Table + ` WHERE "` + column + `" IN (` + marks(1, len(chunk)) + `)` + where
			err := query(ctx, s, q, append(args(chunk), scoped...), func(scan func(...any) error) error {
				var id, name string
				if err := scan(&id, &name); err != nil {
					return err
				}
				if have, ok := out[name]; ok && have != ident.ID(id) {
					many[name] = true
				}
				out[name] = ident.ID(id)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		for name := range many {
			delete(out, name)
		}
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { _, ok := out[n]; return ok || many[n] })
	}
	return out, nil
}

// readable returns the SQL that narrows a table to the rows the viewer of ctx may
// read, with placeholders from number on, and its arguments.
func readable(ctx context.Context, s *store.Store, name string, number int) (string, []any) {
	if scope.Unrestricted(ctx) {
		return "", nil
	}
	p := scope.Predicate(viewer.From(ctx), s.Dialect, name, func(c string) string { return name + "." + c }, access.Read)
	if p == nil {
		return "", nil
	}
	p.SetDialect(dialect.Postgres) // numbered placeholders work on both databases
	p.SetTotal(number - 1)
	q, a := p.Query()
	for i, v := range a {
		if id, ok := v.(ident.ID); ok {
			a[i] = string(id)
		}
	}
	return " AND (" + q + ")", a
}

// query runs a SELECT and gives each row to each.
func query(ctx context.Context, s *store.Store, q string, a []any, each func(scan func(...any) error) error) error {
	rows, err := s.Raw(ctx).QueryContext(ctx, spell(s.Dialect, q), a...)
	if err != nil {
		return store.Known(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return store.Known(rows.Err())
}

// load reads whole rows of a table and gives each to take.
func (c *comparison) load(t *table, where string, a []any, take func(row []any)) error {
	q := `SELECT ` + quoted(t.names()) + ` FROM ` + t.Table + ` WHERE ` + where
	if c.lock && c.store.Dialect == dialect.Postgres {
		q += " FOR UPDATE"
	}
	return query(c.ctx, c.store, q, a, func(scan func(...any) error) error {
		raw, to := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range raw {
			to[i] = &raw[i]
		}
		if err := scan(to...); err != nil {
			return err
		}
		for i := range raw {
			raw[i] = t.stored(i, raw[i])
		}
		take(raw)
		return nil
	})
}

// bySource finds the stored rows by source and external id, and where a kind asks
// for it by the normalised name.
func (c *comparison) bySource(k *Kind, t *table) error {
	items := c.items[k]
	for chunk := range slices.Chunk(items, idChunk) {
		ids := make([]string, len(chunk))
		for i, it := range chunk {
			ids[i] = it.record.ID
		}
		err := c.load(t, `source = $1 AND external_id IN (`+marks(2, len(ids))+`)`,
			append([]any{c.staged.Source}, args(ids)...), func(row []any) {
				it := c.found[k][row[t.index("external_id")].(string)]
				it.old, it.id = row, ident.ID(row[0].(string))
			})
		if err != nil {
			return err
		}
	}
	if !k.ByName {
		return nil
	}
	byName := map[string]*item{}
	for _, it := range items {
		if name, _ := it.record.Values["name_norm"].(string); it.old == nil && name != "" {
			byName[name] = it
		}
	}
	rows := map[string][][]any{}
	for chunk := range slices.Chunk(Sorted(byName), idChunk) {
		where := `name_norm IN (` + marks(1, len(chunk)) + `) OR LOWER(name) IN (` + marks(len(chunk)+1, len(chunk)) + `)`
		err := c.load(t, where, append(args(chunk), args(chunk)...), func(row []any) {
			name := Normal(row[t.index("name")].(string))
			rows[name] = append(rows[name], row)
		})
		if err != nil {
			return err
		}
	}
	for name, found := range rows {
		it := byName[name]
		if it == nil {
			continue
		}
		if len(found) == 1 {
			it.old, it.id = found[0], ident.ID(found[0][0].(string))
			continue
		}
		c.report.Warnings = append(c.report.Warnings, Warning{File: c.report.Files[it.record.File], Line: it.record.Line,
			Value: shown(name), Reason: Say("import.warning.same_name", "n", len(found))})
	}
	return nil
}

// byColumns finds the stored rows that agree in the columns of Kind.Match. Equal
// rows are paired one to one, in the order of their ids.
func (c *comparison) byColumns(k *Kind, t *table) error {
	waiting := map[string][]*item{}
	var first []string // the values of the first column, which narrows the search
	for _, it := range c.items[k] {
		key := ""
		for _, column := range k.Match {
			v := it.record.Values[column]
			if ref, ok := v.(Ref); ok {
				id, blocked := c.resolve(ref)
				if blocked != nil || !c.existed(ref) {
					key = ""
					break
				}
				v = string(id)
			}
			if _, ok := it.record.Values[column]; !ok {
				v = t.defaults()[t.index(column)]
			}
			v = t.stored(t.index(column), v)
			key += fmt.Sprintf("%v\x00", v)
			if column == k.Match[0] {
				first = append(first, fmt.Sprint(v))
			}
		}
		if key != "" {
			waiting[key] = append(waiting[key], it)
		}
	}
	slices.Sort(first)
	first = slices.Compact(first)
	for chunk := range slices.Chunk(first, idChunk) {
		var rows [][]any
		where := `"` + k.Match[0] + `" IN (` + marks(1, len(chunk)) + `)`
		if err := c.load(t, where, args(chunk), func(row []any) { rows = append(rows, row) }); err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
		for _, row := range rows {
			key := ""
			for _, column := range k.Match {
				key += fmt.Sprintf("%v\x00", row[t.index(column)])
			}
			if list := waiting[key]; len(list) > 0 {
				list[0].old, list[0].id = row, ident.ID(row[0].(string))
				waiting[key] = list[1:]
			}
		}
	}
	return nil
}

// existed reports whether a reference is to a row that was there before.
func (c *comparison) existed(r Ref) bool {
	if _, ok := c.names[r.Kind]; ok {
		return true
	}
	return c.found[r.Kind][r.ID].old != nil
}

// linked drops the links that are already there.
func (c *comparison) linked(k *Kind, t *table) error {
	byEdge := map[string][]*item{}
	for _, it := range c.items[k] {
		for edge := range it.links {
			if it.old != nil {
				byEdge[edge] = append(byEdge[edge], it)
			}
		}
	}
	for _, name := range Sorted(byEdge) {
		x, ok := t.Edge(name)
		if !ok || x.Table == "" {
			panic("importer: " + t.Name + " has no link " + name)
		}
		have := map[[2]ident.ID]bool{}
		for chunk := range slices.Chunk(byEdge[name], idChunk) {
			ids := make([]ident.ID, len(chunk))
			for i, it := range chunk {
				ids[i] = it.id
			}
			q := `SELECT ` + quoted(x.Columns) + ` FROM ` + x.Table + ` WHERE ` + x.Columns[0] + ` IN (` + marks(1, len(ids)) + `)`
			err := query(c.ctx, c.store, q, args(ids), func(scan func(...any) error) error {
				var a, b ident.ID
				err := scan(&a, &b)
				have[[2]ident.ID{a, b}] = true
				return err
			})
			if err != nil {
				return err
			}
		}
		for _, it := range byEdge[name] {
			it.links[name] = slices.DeleteFunc(it.links[name], func(to ident.ID) bool { return have[[2]ident.ID{it.id, to}] })
		}
	}
	return nil
}

// changedColumns lists the columns in which an item differs from its stored row.
func (it *item) changedColumns() (out []int) {
	for i := range it.row {
		if it.old == nil || it.row[i] != it.old[i] {
			out = append(out, i)
		}
	}
	return out
}

// newLinks reports whether an item has links that are not stored yet.
func (it *item) newLinks() bool {
	for _, l := range it.links {
		if len(l) > 0 {
			return true
		}
	}
	return false
}

// sort puts the items into created, updated and unchanged and counts them.
func (c *comparison) sort() (created, updated map[*Kind][]*item) {
	created, updated = map[*Kind][]*item{}, map[*Kind][]*item{}
	for _, k := range c.staged.kinds {
		for _, it := range c.items[k] {
			switch {
			case !it.blocked.IsZero():
			case it.old == nil:
				created[k] = append(created[k], it)
				c.report.Created[k.Entity]++
			case !k.CreateOnly && (len(it.changedColumns()) > 0 || it.newLinks()):
				updated[k] = append(updated[k], it)
				c.report.Updated[k.Entity]++
			default:
				c.report.Unchanged[k.Entity]++
			}
		}
	}
	return created, updated
}

// chosenPortfolio finds the portfolio a person named for the whole import, by
// its key or the part of it that stands in addresses.
func chosenPortfolio(ctx context.Context, s *store.Store, key string) (string, error) {
	t := tableOf("Portfolio")
	tried := []string{key, strings.ToUpper(key), t.KeyPrefix + "-" + strings.ToUpper(key)}
	ids, err := findRows(ctx, s, t, []string{"key"}, tried)
	if err != nil {
		return "", err
	}
	for _, k := range tried {
		if _, ok := ids[k]; ok {
			return k, nil
		}
	}
	return "", errs.New(errs.Validation, "import.error.portfolio", "key", key)
}
