package importer_test

import (
	"os"
	"testing"

	"steward/internal/testkit"
)

// The measurement against COPY writes files, which takes an administrator of the server.
func TestMain(m *testing.M) { os.Exit(testkit.Alone(m)) }
