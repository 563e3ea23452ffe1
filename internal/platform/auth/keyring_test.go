package auth_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/auth"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

func keyOf(letter string) []byte { return []byte(strings.Repeat(letter, 32)) }

func keyFile(t *testing.T, file string, letters string) {
	t.Helper()
	var b strings.Builder
	for l := range strings.SplitSeq(letters, "") {
		b.WriteString(base64.StdEncoding.EncodeToString(keyOf(l)) + "\n")
	}
	if err := os.WriteFile(file+".new", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// A ring follows its file: a value that another server has encrypted with a newer key opens at once, and
// a file that cannot be read changes nothing.
func TestKeyringFollowsItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "k")
	keyFile(t, file, "a")
	mine, err := auth.ReadKeyring(file)
	if err != nil {
		t.Fatal(err)
	}
	old := mine.Seal([]byte("x"), "p")
	keyFile(t, file, "ba")
	theirs, err := auth.ReadKeyring(file)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := mine.Open(theirs.Seal([]byte("y"), "p"), "p"); err != nil || string(plain) != "y" {
		t.Errorf("%q %v", plain, err)
	}
	if plain, err := mine.Open(old, "p"); err != nil || string(plain) != "x" || mine.Keys() != 2 {
		t.Errorf("%q %v", plain, err)
	}
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mine.Open([]byte("nothing of ours"), "p"); err == nil || mine.Keys() != 2 {
		t.Errorf("%d keys, %v", mine.Keys(), err)
	}
	again, err := mine.Reseal(old, "p")
	if err != nil || again == nil {
		t.Fatal(again, err)
	}
	onlyOld, _ := auth.NewKeyring(keyOf("a"))
	if _, err := onlyOld.Open(again, "p"); err == nil {
		t.Error("it was encrypted with the old key again")
	}
	if none, err := mine.Reseal(again, "p"); none != nil || err != nil {
		t.Error("what the first key encrypted is encrypted anew", none, err)
	}
}

// Tokens of sessions are encrypted anew; ended sessions have none, and dry changes nothing.
func TestResealSessions(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		old, _ := auth.NewKeyring(keyOf("a"))
		both, _ := auth.NewKeyring(keyOf("b"), keyOf("a"))
		young, _ := auth.NewKeyring(keyOf("b"))
		const n = 205 // more than one part
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			p := c.Person.Create().SetName("Pia").SaveX(ctx)
			for range n {
				x := c.Session.Create().SetPersonID(p.ID).SetTokenHash(rand.Text()).SetIssuer("i").SetSubject("s").SetAuthTime(time.Now().UTC()).
					SetLastSeenAt(time.Now().UTC()).SetIdpCheckedAt(time.Now().UTC()).SetExpiresAt(time.Now().UTC().Add(time.Hour)).SaveX(ctx)
				c.Session.UpdateOne(x).SetRefreshToken(old.Seal([]byte("refresh"), "session refresh "+x.ID.String())).
					SetIDToken(old.Seal([]byte("id"), "session id "+x.ID.String())).ExecX(ctx)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		run := func(k *auth.Keyring, dry bool, want auth.Rotation) {
			t.Helper()
			if r, err := auth.ResealSessions(testkit.System(), s, k, dry); err != nil || r != want {
				t.Errorf("%+v %v, want %+v", r, err, want)
			}
		}
		run(young, true, auth.Rotation{Seen: 2 * n, Unreadable: 2 * n})
		run(both, true, auth.Rotation{Seen: 2 * n, Resealed: 2 * n})
		run(both, false, auth.Rotation{Seen: 2 * n, Resealed: 2 * n})
		run(both, false, auth.Rotation{Seen: 2 * n})
		run(young, true, auth.Rotation{Seen: 2 * n})
		run(old, true, auth.Rotation{Seen: 2 * n, Unreadable: 2 * n})
	})
}
