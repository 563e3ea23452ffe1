package webhook

import (
	"context"

	"steward/ent"
	entwebhook "steward/ent/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/store"
)

// Reseal encrypts the secrets of webhooks anew with the first key of the ring, beside running servers;
// with dry it only counts. The secrets stay what they are, so no row's change says so.
func Reseal(ctx context.Context, s *store.Store, k *auth.Keyring, dry bool) (r auth.Rotation, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		list, err := c.Webhook.Query().Order(entwebhook.ByID()).All(ctx)
		if err != nil {
			return err
		}
		for _, w := range list {
			columns := map[string][]byte{"UPDATE webhooks SET secret = $1 WHERE id = $2 AND secret = $3": w.Secret}
			if w.PreviousSecret != nil {
				columns["UPDATE webhooks SET previous_secret = $1 WHERE id = $2 AND previous_secret = $3"] = *w.PreviousSecret
			}
			for statement, sealed := range columns {
				write := func(again []byte) error {
					_, err := s.Raw(ctx).ExecContext(ctx, statement, again, w.ID.String(), sealed)
					return err
				}
				if dry {
					write = nil
				}
				if err := r.Try(k, sealed, purpose(w.ID), write); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return r, store.Known(err)
}
