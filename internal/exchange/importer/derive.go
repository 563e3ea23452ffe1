package importer

import (
	"time"

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
		it.row[it.table.index("name_norm")] = Normal(it.row[it.table.index("name")].(string))
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
	if end, ok := terms.FirstEnd(); ok && terms.End == nil {
		it.row[it.table.index("end_on")] = end
	}
	d := terms.On(civil.DateOf(time.Now().UTC()))
	for column, v := range map[string]*civil.Date{"notice_by_on": d.NoticeBy, "decide_by_on": d.DecideBy} {
		it.row[it.table.index(column)] = nil
		if v != nil {
			it.row[it.table.index(column)] = *v
		}
	}
}
