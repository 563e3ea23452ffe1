package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// Root returns the folder of the module (where go.mod is).
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("testkit: no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
}

// SharedData returns the folder with the real data of the scenarios: STEWARD_SHARED_DATA, else
// ../shared/data beside the repository. The data is not part of the repository (its licences
// differ), so a test that needs it fails where it is missing, and says how to name it.
func SharedData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("STEWARD_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join(Root(t), "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "SCENARIOS.md")); err != nil {
		t.Fatalf("this test reads the scenarios' data, which is not at %s: set STEWARD_SHARED_DATA", dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
