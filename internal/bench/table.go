package main

import (
	"fmt"
	"strings"
	"time"
)

// table writes the figures as Markdown.
func table(lines []line) string {
	var b strings.Builder
	b.WriteString("| workload | CPU ÷ L | req/s ÷ L | CPU a request | L | p50 | p99 | L p99 | memory, MiB | L |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %s | %s | %s | %s | %s | %.0f | %.0f |\n", l.name, l.cpu, l.rate, short(l.product.cpu), short(l.ceil.cpu),
			short(l.product.p50), short(l.product.p99), short(l.ceil.p99), l.memory, l.ceilMem)
	}
	return b.String()
}

func short(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
