package app

import (
	"context"
	"errors"
	"fmt"

	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/config"
	"steward/internal/platform/store"
)

// passes is how often all stored secrets are gone through: again only for those that a running server has
// written with an older key meanwhile.
const passes = 10

// keysStatus counts what each key is still needed for and changes nothing.
func (c *command) keysStatus(ctx context.Context) error {
	return c.withKeys(ctx, c.Keys.Status.Storage, func(ctx context.Context, s *store.Store, k *auth.Keyring) error {
		r, err := reseal(ctx, s, k, true)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "keys           %d\nsecrets        %d\nby the first   %d\nby older ones  %d\nby no key      %d\n", k.Keys(), r.Seen, r.Seen-r.Resealed-r.Unreadable, r.Resealed, r.Unreadable)
		return c.unreadable(r)
	})
}

// rotateKeys encrypts everything anew with the first key of the file, beside running servers.
func (c *command) rotateKeys(ctx context.Context) error {
	return c.withKeys(ctx, c.Keys.Rotate.Storage, func(ctx context.Context, s *store.Store, k *auth.Keyring) error {
		total := 0
		for range passes {
			r, err := reseal(ctx, s, k, false)
			if err != nil {
				return err
			}
			if total += r.Resealed; r.Resealed > 0 {
				continue
			}
			fmt.Fprintf(c.out, "%s of %d encrypted anew with the first of %s\n", count(total, "secret"), r.Seen, count(k.Keys(), "key"))
			if k.Keys() > 1 && r.Unreadable == 0 {
				fmt.Fprintf(c.err, "The older keys can be taken out of the file once every server has had the new one for ten minutes, so that no sign-in that is under way is lost, and steward keys status still says 0 by older ones.\n")
			}
			return c.unreadable(r)
		}
		return errors.New("servers go on writing with an older key: give all of them the new file first, then run this again")
	})
}

// unreadable says that some secrets are lost to these keys.
func (c *command) unreadable(r auth.Rotation) error {
	if r.Unreadable == 0 {
		return nil
	}
	fmt.Fprintf(c.err, "steward: no key of the file opens %s: put back the key that was taken out, or let their owners make new ones\n", count(r.Unreadable, "secret"))
	return errFound
}

// withKeys opens the database and the key file, which must be there.
func (c *command) withKeys(ctx context.Context, at config.Storage, do func(context.Context, *store.Store, *auth.Keyring) error) error {
	file := keyFile(&at)
	if file == "" {
		return usage{errors.New("name the key file with --key-file")}
	}
	k, err := auth.ReadKeyring(file)
	if err != nil {
		return err
	}
	s, err := c.database(ctx, at)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(asSystem(ctx), s, k)
}

// reseal goes through all that is stored encrypted.
func reseal(ctx context.Context, s *store.Store, k *auth.Keyring, dry bool) (auth.Rotation, error) {
	r, err := auth.ResealSessions(ctx, s, k, dry)
	if err != nil {
		return r, err
	}
	hooks, err := webhook.Reseal(ctx, s, k, dry)
	r.Add(hooks)
	return r, err
}
