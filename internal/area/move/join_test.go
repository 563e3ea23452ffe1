package move_test

import (
	"context"
	"errors"
	"testing"

	"steward/ent"
	"steward/internal/area/move"
	"steward/internal/area/procurement"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

var errEnd = errors.New("end")

// A move joins the transaction that is open, and goes with it.
func TestJoinsATransaction(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		paul := who("Paul", []string{"procurement-officer"})
		id := w.make("Procurement", "PLANNED", w.ours, w.product)
		in := move.Input{ID: id, To: "CANCELLED", Version: 1, Note: "not needed"}
		err := s.Tx(as(paul), func(ctx context.Context, _ *ent.Client) error {
			n, err := procurement.Move(ctx, s, in)
			if err != nil || n.Status != "CANCELLED" || n.Version != 2 {
				t.Errorf("inside: %v, %v", n, err)
			}
			return errEnd
		})
		if !errors.Is(err, errEnd) || stateOf("Procurement", w.row("Procurement", id)) != "PLANNED" {
			t.Errorf("rolled back: %v", err)
		}
		if err := s.Tx(as(paul), func(ctx context.Context, _ *ent.Client) error {
			_, err := procurement.Move(ctx, s, in)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if last := s.LastChange(testkit.System(), id); last == nil || last.Reason != "not needed" {
			t.Errorf("the reason of a move within a transaction is lost: %+v", last)
		}
	})
}
