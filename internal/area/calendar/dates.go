package calendar

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/viewer"
)

// Kinds are the sorts of dates that a feed may have, in the order in which they are offered.
var Kinds = []string{"contracts", "procurements", "cycles", "initiatives"}

// source is one date of an entity.
type source struct {
	kind, entity, field string
	message             string   // the title, filled with the name
	without             []string // states in which the date means nothing any more
}

var sources = []source{
	{"contracts", "Contract", "decide_by_on", "feed.contract.decide", []string{"TERMINATED"}},
	{"contracts", "Contract", "notice_by_on", "feed.contract.notice", []string{"TERMINATED"}},
	{"contracts", "Contract", "end_on", "feed.contract.end", []string{"TERMINATED"}},
	{"procurements", "Procurement", "publish_planned_on", "feed.procurement.publish", []string{"CANCELLED", "UNSUCCESSFUL"}},
	{"procurements", "Procurement", "award_planned_on", "feed.procurement.award", []string{"CANCELLED", "UNSUCCESSFUL"}},
	{"cycles", "Cycle", "end_on", "feed.cycle.end", nil},
	{"cycles", "Cycle", "grading_ends_on", "feed.cycle.grading", nil},
	{"initiatives", "Initiative", "start_on", "feed.initiative.start", []string{"DECLINED", "PARKED"}},
	{"initiatives", "Initiative", "planned_end_on", "feed.initiative.planned", []string{"DECLINED", "PARKED"}},
	{"initiatives", "Initiative", "projected_end_on", "feed.initiative.projected", []string{"DECLINED", "PARKED"}},
}

const (
	pastDays  = 90   // how far back a feed goes
	datesMost = 1000 // of one source, the nearest
)

// Date is one day in a calendar.
type Date struct {
	UID     string // the same as long as the record lives
	On      civil.Date
	Title   string
	Changed time.Time
}

// Dates returns what the viewer may see of the kinds from three months before today on, by day. Each
// title is in the language.
func Dates(ctx context.Context, s *store.Store, kinds []string, lang string, today civil.Date) ([]Date, error) {
	var out []Date
	for _, from := range sources {
		if !slices.Contains(kinds, from.kind) || !access.May(viewer.From(ctx), from.entity, access.Read) || store.HiddenField(ctx, from.entity, from.field) {
			continue
		}
		e := entity.ByName(from.entity)
		rows, err := e.List(ctx, s.ClientOf(ctx), func(sel *sql.Selector) {
			sel.Where(sql.GTE(sel.C(from.field), today.AddDays(-pastDays)))
			if e.Archivable {
				sel.Where(sql.IsNull(sel.C("archived_at")))
			}
			if len(from.without) > 0 {
				states := make([]any, len(from.without))
				for i, x := range from.without {
					states[i] = x
				}
				sel.Where(sql.NotIn(sel.C("status"), states...))
			}
		}, func(sel *sql.Selector) { sel.OrderBy(sel.C(from.field), sel.C("id")) }, datesMost, 0)
		if err != nil {
			return nil, store.Known(err)
		}
		for _, row := range rows {
			on, ok := e.Value(row, from.field).(civil.Date)
			if !ok {
				continue
			}
			name, _ := e.Value(row, "name").(string)
			if fr, _ := e.Value(row, "name_fr").(string); lang == i18n.French && fr != "" {
				name = fr
			}
			changed, _ := e.Value(row, "updated_at").(time.Time)
			out = append(out, Date{fmt.Sprintf("%s-%s@steward", row.ID, from.field), on, i18n.T(lang, from.message, "name", name), changed})
		}
	}
	slices.SortFunc(out, func(a, b Date) int { return cmp.Or(a.On.Compare(b.On), cmp.Compare(a.UID, b.UID)) })
	return out, nil
}
