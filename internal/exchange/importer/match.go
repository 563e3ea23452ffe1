package importer

import (
	"fmt"
	"slices"
	"strings"

	"steward/internal/area/contract"
	"steward/internal/rules/ident"
)

// bySource finds the stored rows by source and external id, and where a kind asks
// for it by the normalised name.
func (c *comparison) bySource(k *Kind, t *table) error {
	items := c.items[k]
	for chunk := range slices.Chunk(items, idChunk) {
		ids := make([]string, len(chunk))
		for i, it := range chunk {
			ids[i] = it.record.ID
		}
		err := c.loadSource(t, c.staged.Source, ids, func(row []any) {
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
		err := c.load(t, `name_norm IN (`+marks(1, len(chunk))+`)`, args(chunk), func(row []any) {
			name := contract.NormalName(row[t.index("name")].(string))
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
				v = t.fresh[t.index(column)]
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
