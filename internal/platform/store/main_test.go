package store_test

import (
	"os"
	"testing"

	"steward/internal/testkit"
)

// What is sealed in the order of commit waits for every transaction that began before.
func TestMain(m *testing.M) { os.Exit(testkit.Alone(m)) }
