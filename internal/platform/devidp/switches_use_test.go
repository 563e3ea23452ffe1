package devidp_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"steward/internal/testkit"
)

// Nothing but tests may make the provider misbehave or sign what it should not.
func TestOnlyTestsUseSwitches(t *testing.T) {
	root := testkit.Root(t)
	for _, dir := range []string{"cmd", "internal", "graph"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "platform/devidp/") {
				return err
			}
			b, err := os.ReadFile(path)
			if strings.Contains(string(b), ".Switches(") {
				t.Errorf("%s uses the switches of the development sign-in", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
