package graph

import (
	"context"

	"steward/graph/model"
	"steward/internal/area/calendar"
	"steward/internal/rules/viewer"
)

// addFeed makes a calendar feed of the caller's own.
func (r *Resolver) addFeed(ctx context.Context, in model.AddCalendarFeedInput) (*model.CalendarFeedAddress, error) {
	lang := viewer.From(ctx).Lang
	if in.Language != nil {
		lang = *in.Language
	}
	token, feed, err := calendar.Create(ctx, r.Store, calendar.Input{Name: in.Name, Kinds: in.Kinds, Language: lang})
	if err != nil {
		return nil, err
	}
	return &model.CalendarFeedAddress{Feed: feed, Path: "/feeds/" + token + ".ics"}, nil
}
