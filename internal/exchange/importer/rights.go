package importer

import (
	"steward/internal/platform/scope"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

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
				Column: it.column, Value: shown(it.value), Reason: it.blocked, Hint: it.hint})
			for _, t := range it.record.totals {
				if err := c.report.add(t.Name, t.Currency, money.Amount(-t.Amount)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
