package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// same compares the values of both answers; names and nesting differ.
func (w *world) same(ctx context.Context, l workload, r request) error {
	var got [2][]string
	for i, s := range []*server{w.limit, w.product} {
		b, err := s.ask(ctx, http.DefaultClient, r)
		if err != nil {
			return err
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("%w in %.300s", err, b)
		}
		got[i] = leaves(v, nil)
		slices.Sort(got[i])
	}
	if !slices.Equal(got[0], got[1]) {
		return fmt.Errorf("the answers differ:\nlimit   %.600s\nproduct %.600s", strings.Join(got[0], " "), strings.Join(got[1], " "))
	}
	if len(got[0]) < l.values {
		return fmt.Errorf("an answer has %d values only", len(got[0]))
	}
	return nil
}

// leaves collects the values of an answer, without what only GraphQL has.
func leaves(v any, out []string) []string {
	switch x := v.(type) {
	case map[string]any:
		for name, y := range x {
			if name != "extensions" {
				out = leaves(y, out)
			}
		}
	case []any:
		for _, y := range x {
			out = leaves(y, out)
		}
	default:
		out = append(out, fmt.Sprint(x))
	}
	return out
}
