package itdashboard

import (
	"slices"

	areacontract "steward/internal/area/contract"
	"steward/internal/exchange/importer"
)

// Contracts is the format of the contracts file.
type Contracts struct{}

// Name of the format.
func (Contracts) Name() string { return "itdashboard-contracts" }

// Open starts a run. Settings: currency (USD) and unit (millions).
func (Contracts) Open(o importer.Options) (importer.Parser, error) {
	s, err := configure(o)
	return &contracts{settings: s, awards: map[award][]string{}}, err
}

type contracts struct {
	settings
	awards map[award][]string // contract ids by agency and award number
	calls  []call
}

// award is a contract's number (PIID), which is unique within an agency at best.
type award struct{ agency, number string }

// call is a contract that names another one as its framework.
type call struct {
	record    *importer.Record
	framework award
}

func (*contracts) Source() string            { return source }
func (*contracts) Dates() importer.DateOrder { return importer.MonthFirst }
func (*contracts) Kinds() []*importer.Kind {
	return []*importer.Kind{mentionedAgency, mentionedInvestment, vendor, contract}
}

func (*contracts) Columns() []importer.Column {
	return slices.Concat(placeColumns, []importer.Column{
		importer.Need("id", "Contract ID"),
		importer.Need("number", "Contract Number (PIID)", "PIID"),
		importer.Col("status", "Contract Status"),
		importer.Col("framework", "IDV PIID"),
		importer.Need("vendor", "Vendor Name (USAspending)", "Vendor Name"),
		importer.Need("value", "Action Obligation Amount (In $ million) (USAspending)", "Action Obligation Amount"),
		importer.Col("type", "Type of Contract (USAspending)", "Type of Contract"),
		importer.Col("start", "Contract Start Date (USAspending)", "Contract Start Date"),
		importer.Col("end", "Contract End Date (USAspending)", "Contract End Date"),
		importer.Col("compete", "Contract Compete (USAspending)", "Contract Compete"),
		importer.Col("description", "Contract Description (USAspending)", "Contract Description"),
	}, importer.Unused("Business Case ID", "Agency Contract ID", "Contracting Agency ID", "IDV Agency ID",
		"Match found in USAspending", "Solicitation ID (USAspending)", "Performance Based Contract (USAspending)",
		"Base Contract ID (USAspending)", "Identifying Agency ID (USAspending)", "Transaction Number (USAspending)",
		"Timestamp (Contract)", "Timestamp (Base Contract)"))
}

// Row makes a contract. A contract has a row for each of its investments and
// base contracts; the first says what it is worth, the others add investments.
func (p *contracts) Row(r *importer.Row) {
	portfolio, product := p.place(r, mentionedAgency, mentionedInvestment)
	id, number := r.Must("id"), r.Must("number")
	start, end, value := r.Date("start"), r.Date("end"), r.Money("value", p.unit)
	if start != nil && end != nil && end.Before(*start) {
		r.Warn("end", importer.Say("import.warning.end_before_start"))
	}
	if value == nil {
		r.Warn("value", importer.Say("import.warning.no_value"))
	}
	var by any
	if name := r.Line1("vendor"); name != "" {
		by = r.Mention(vendor, areacontract.NormalName(name), importer.Values{"name": name, "name_norm": areacontract.NormalName(name)})
	} else {
		r.Warn("vendor", importer.Say("import.warning.no_vendor"))
	}
	rec := r.Put(contract, id, importer.Values{
		"portfolio_id": portfolio, "vendor_id": by, "name": number, "reference": number,
		"framework_reference": r.Line1("framework"), "published_status": r.Line1("status"),
		"pricing_model": r.Line1("type"), "competed": r.Line1("compete"), "description": r.Text("description"),
		"value": value, "currency": p.currency, "start_on": start, "end_on": end,
	}, totals(p.currency, "contracted", value)...)
	rec.Links = map[string][]importer.Ref{"products": {product}}
	if !r.Faulty() {
		at := r.Line1("agency")
		p.awards[award{at, number}] = append(p.awards[award{at, number}], id)
		if f := r.Line1("framework"); f != "" && f != number {
			p.calls = append(p.calls, call{rec, award{at, f}})
		}
	}
}

// Finish links call-offs with their framework where exactly one contract of the
// same agency bears the number. Others keep the number as text.
func (p *contracts) Finish(s *importer.Staged) {
	for _, c := range p.calls {
		ids := map[string]bool{}
		for _, id := range p.awards[c.framework] {
			ids[id] = true
		}
		if len(ids) == 1 {
			c.record.Later = importer.Values{"framework_id": importer.Ref{Kind: contract, ID: p.awards[c.framework][0]}}
		}
	}
}
