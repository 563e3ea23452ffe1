package importer

import "testing"

// Small makes files large that have more than a few records, until the test ends.
func Small(t *testing.T, records, part int) {
	a, b := mayForget, partRecords
	mayForget, partRecords = records, part
	t.Cleanup(func() { mayForget, partRecords = a, b })
}
