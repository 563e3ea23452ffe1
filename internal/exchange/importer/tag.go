package importer

import (
	"context"
	"slices"

	"steward/internal/area/tag"
	"steward/internal/rules/ident"
)

// tagging is what becomes of the tags of an item.
type tagging struct{ add, remove []ident.ID }

func (t tagging) any() bool { return len(t.add)+len(t.remove) > 0 }

// tagged compares the tags that the file gives records with those they carry.
func (c *comparison) tagged(k *Kind, t *table) error {
	var asked []*item
	var stored []ident.ID
	for _, it := range c.items[k] {
		if it.record.Tags == nil || !it.blocked.IsZero() {
			continue
		}
		asked = append(asked, it)
		if it.old != nil {
			stored = append(stored, it.id)
		}
	}
	have := map[ident.ID][]ident.ID{}
	for chunk := range slices.Chunk(stored, idChunk) {
		found, err := tag.Of(c.ctx, c.store, t.Entity, chunk...)
		if err != nil {
			return err
		}
		for id, tags := range found {
			for _, x := range tags {
				have[id] = append(have[id], x.ID)
			}
		}
	}
	for _, it := range asked {
		var want []ident.ID
		for _, ref := range it.record.Tags {
			id, blocked := c.resolve(ref)
			if blocked != nil {
				it.blocked, it.value, it.column, it.hint = blocked.blocked, blocked.value, it.record.labels[tag.Edge], Say("import.hint.tag")
				break
			}
			want = append(want, id)
		}
		it.tags.add = slices.DeleteFunc(slices.Clone(want), func(id ident.ID) bool { return slices.Contains(have[it.id], id) })
		it.tags.remove = slices.DeleteFunc(slices.Clone(have[it.id]), func(id ident.ID) bool { return slices.Contains(want, id) })
		slices.Sort(it.tags.add)
		it.tags.add = slices.Compact(it.tags.add)
	}
	return nil
}

// mark puts the tags of an item on its stored row and takes others off.
func (c *comparison) mark(ctx context.Context, it *item, id ident.ID) error {
	if !it.tags.any() {
		return nil
	}
	return tag.Mark(ctx, c.store, it.table.Entity, []ident.ID{id}, it.tags.add, it.tags.remove)
}
