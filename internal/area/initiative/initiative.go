// Package initiative takes pieces of work through screening and ranking to a
// decision. Only Move changes their status.
package initiative

import (
	"context"

	"steward/ent"
	"steward/internal/area/move"
	"steward/internal/platform/store"
)

func init() { move.Register("Initiative", move.Verb{Field: "status"}) }

// Move makes one move of flow.Initiative and returns the initiative as it is then.
// The errors are those of move.Do.
func Move(ctx context.Context, s *store.Store, in move.Input) (*ent.Initiative, error) {
	in.Entity = "Initiative"
	if err := move.Do(ctx, s, in); err != nil {
		return nil, err
	}
	n, err := s.ClientOf(ctx).Initiative.Get(ctx, in.ID)
	return n, store.Known(err)
}
