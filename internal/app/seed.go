package app

import (
	"context"
	"fmt"
	"time"

	"steward/internal/exchange/importer"
	"steward/internal/seed"
)

// seedDemo fills an empty database with the demo.
func (c *command) seedDemo(ctx context.Context) error {
	s, err := c.database(ctx, c.Command.Seed.Demo.Storage)
	if err != nil {
		return err
	}
	defer s.Close()
	p := newProgress(c.err)
	figures, err := seed.Demo(ctx, s, time.Now(), func(step string) { p.step("seed: "+step, 0, 0) })
	p.end()
	if err != nil {
		return err
	}
	for _, name := range importer.Sorted(figures) {
		fmt.Fprintf(c.out, "%-18s %d\n", name, figures[name])
	}
	return nil
}
