package importer

import (
	"context"
	"fmt"
	"slices"

	"steward/internal/platform/store"
	"steward/internal/rules/ident"
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
	tags   tagging
	// blocked is why the viewer may not write the row, and what the file calls
	// the record that is in the way.
	blocked Message
	value   string
	column  string
	hint    Message
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

	// parts counts over the parts of a large file; nil where there is one.
	parts *parts

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
	if err := c.linked(k, t); err != nil {
		return err
	}
	return c.tagged(k, t)
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
			if p, ok := v.(Patch); ok {
				v = p.over(it.row[i])
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
			counted := c.parts.first(it)
			switch {
			case !it.blocked.IsZero():
			case it.old == nil:
				created[k] = append(created[k], it)
				tally(c.report.Created, k.Entity, counted)
			case !k.CreateOnly && (len(it.changedColumns()) > 0 || it.newLinks() || it.tags.any()):
				updated[k] = append(updated[k], it)
				tally(c.report.Updated, k.Entity, counted)
			default:
				tally(c.report.Unchanged, k.Entity, counted)
			}
		}
	}
	return created, updated
}

// tally adds to a count; entities with none stay absent.
func tally(counts map[string]int, name string, n int) {
	if n > 0 {
		counts[name] += n
	}
}
