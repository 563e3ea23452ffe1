package auth_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

var dbn atomic.Int64

func databases(t *testing.T, f func(*testing.T, *store.Store)) {
	open := func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), url, store.RequestOptions)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if err := s.Client.Schema.Create(viewer.With(context.Background(), viewer.NewSystem(viewer.ViaCLI, ""))); err != nil {
			t.Fatal(err)
		}
		f(t, s)
	}
	t.Run("sqlite", func(t *testing.T) { open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db")) })
	t.Run("postgres", func(t *testing.T) {
		p := testkit.Postgres(t)
		url, err := p.CreateDB(fmt.Sprintf("auth_%d", dbn.Add(1)), "")
		if err != nil {
			t.Fatal(err)
		}
		open(t, url)
	})
}
