package testkit

import (
	"os"
	"strconv"
)

// Soak returns how often a test repeats what it does: n in `make test`, and n times
// STEWARD_TEST_SOAK in `make soak`, which runs the long forms.
func Soak(n int) int {
	if times, err := strconv.Atoi(os.Getenv("STEWARD_TEST_SOAK")); err == nil && times > 1 {
		return n * times
	}
	return n
}
