package importer_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/testkit"
)

func TestMillion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.csv")
	f, _ := os.Create(path)
	w := bufio.NewWriter(f)
	w.WriteString(budgetHead)
	for i := range 1_000_000 {
		a := fmt.Sprint(i)
		if i%454 == 0 {
			a = "see note"
		}
		fmt.Fprintf(w, "2020-21,%d,Organisation %d,P%d,Programme number %d,%s,1,2,3\n", i%100, i%100, i, i, a)
	}
	w.Flush()
	f.Close()
	s := testkit.OpenURL(t, testkit.SQLiteURL(t))
	begin := time.Now()
	r, err := importer.Run(system(), s, gcspending.Format{}, []importer.File{importer.Path(path)}, importer.Options{})
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%v %s faults %d created %v sys %d MB", err, time.Since(begin), len(r.Faults), r.Created, m.Sys>>20)
}
