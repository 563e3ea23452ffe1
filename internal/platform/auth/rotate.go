package auth

import (
	"context"

	"steward/ent"
	"steward/ent/session"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// Rotation is what became of sealed values: how many there are, how many were encrypted anew, and how many
// no key of the ring opens.
type Rotation struct{ Seen, Resealed, Unreadable int }

// Add adds another's figures.
func (r *Rotation) Add(o Rotation) {
	r.Seen, r.Resealed, r.Unreadable = r.Seen+o.Seen, r.Resealed+o.Resealed, r.Unreadable+o.Unreadable
}

// Try encrypts one value anew if an older key has encrypted it; write stores it where the value is still
// the old one, since a running server may have written a newer one meanwhile.
func (r *Rotation) Try(k *Keyring, sealed []byte, purpose string, write func(sealed []byte) error) error {
	if len(sealed) == 0 {
		return nil
	}
	r.Seen++
	again, err := k.Reseal(sealed, purpose)
	switch {
	case err != nil:
		r.Unreadable++
		return nil
	case again == nil || write == nil:
		if again != nil {
			r.Resealed++
		}
		return nil
	}
	r.Resealed++
	return write(again)
}

// resealPart is how many sessions are looked at in one transaction.
const resealPart = 200

// ResealSessions encrypts the tokens of sessions anew with the first key of the ring, beside running
// servers; with dry it only counts.
func ResealSessions(ctx context.Context, s *store.Store, k *Keyring, dry bool) (r Rotation, err error) {
	last := ident.ID("")
	for n := resealPart; n == resealPart; {
		err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			list, err := c.Session.Query().Where(session.IDGT(last), session.EndedAtIsNil()).Order(session.ByID()).Limit(resealPart).All(ctx)
			if err != nil {
				return err
			}
			n = len(list)
			for _, x := range list {
				last = x.ID
				for column, sealed := range map[string]*[]byte{"refresh": x.RefreshToken, "id": x.IDToken} {
					if !held(sealed) {
						continue
					}
					write := func(again []byte) error {
						u := c.Session.Update().Where(session.ID(x.ID))
						if column == "refresh" {
							return u.Where(session.RefreshTokenEQ(*sealed)).SetRefreshToken(again).Exec(ctx)
						}
						return u.Where(session.IDTokenEQ(*sealed)).SetIDToken(again).Exec(ctx)
					}
					if dry {
						write = nil
					}
					if err := r.Try(k, *sealed, purpose(x.ID, column), write); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return r, store.Known(err)
		}
	}
	return r, nil
}
