package importer

import (
	"slices"

	"steward/ent"
	entcontract "steward/ent/contract"
	"steward/internal/area/contract"
	"steward/internal/rules/civil"
	"steward/internal/rules/term"
)

// derive fills the columns that follow from others, as the verbs of the areas do
// for rows entered by hand.
func (it *item) derive() {
	switch it.table.Name {
	case "Contract":
		it.contractDates()
	case "Vendor":
		it.row[it.table.index("name_norm")] = contract.NormalName(it.row[it.table.index("name")].(string))
	}
}

// contractDates works out by when to give notice and to decide. A stated end is
// kept as stated; months give an end only where there is none.
func (it *item) contractDates() {
	at := func(column string) any { return it.row[it.table.index(column)] }
	date := func(column string) *civil.Date {
		if d, ok := at(column).(civil.Date); ok {
			return &d
		}
		return nil
	}
	months := func(column string) *int {
		if n, ok := at(column).(int64); ok {
			i := int(n)
			return &i
		}
		return nil
	}
	terms := term.Terms{Start: date("start_on"), End: date("end_on"), InitialMonths: months("initial_months"),
		Renewal: term.Renewal(at("renewal_mode").(string)), RenewalMonths: months("renewal_months"),
		NoticeMonths: *months("notice_months"), LeadDays: *months("decision_lead_days")}
	d := contract.Derive(terms)
	for column, v := range map[string]*civil.Date{"end_on": d.End, "notice_by_on": d.NoticeBy, "decide_by_on": d.DecideBy} {
		it.row[it.table.index(column)] = nil
		if v != nil {
			it.row[it.table.index(column)] = *v
		}
	}
}

// approved are the columns that approval fixes: those area/contract locks.
var approved = contract.Locked(&ent.Contract{Status: entcontract.StatusAPPROVED})

// locked reports whether approval has fixed the column of a contract that was
// entered here. An imported one stays as its source says.
func (it *item) locked(column string) bool {
	at := func(name string) any { return it.old[it.table.index(name)] }
	return it.table.Name == "Contract" && at("origin") == "ENTERED" && at("status") != "DRAFT" &&
		at("status") != "UNDER_REVIEW" && slices.Contains(approved, column)
}
