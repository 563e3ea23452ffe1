package app

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"steward/ent"
	"steward/internal/area/takeout"
	"steward/internal/exchange/sheet"
	"steward/internal/platform/entity"
	"steward/internal/platform/feed"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// exporting is one run of `steward export`.
type exporting struct {
	*command
	store     *store.Store
	portfolio ident.ID
	types     []*entity.Entity
	rows      map[string]int
}

// export writes records into files: all types as JSON Lines, or one type as CSV or as a workbook.
func (c *command) export(ctx context.Context) (err error) {
	asked := c.Command.Export
	x := &exporting{command: c, rows: map[string]int{}}
	for _, name := range asked.Type {
		e := entity.ByName(name)
		if e == nil || !e.Registry {
			return usage{fmt.Errorf("no type %q: there are %s", name, strings.Join(feed.Types(), ", "))}
		}
		x.types = append(x.types, e)
	}
	if asked.Format != "jsonl" && len(x.types) != 1 {
		return usage{fmt.Errorf("%s takes one --type", asked.Format)}
	}
	if asked.Out == "" && len(x.types) != 1 {
		return usage{errors.New("several types need --out, a folder or a .zip file")}
	}
	if len(x.types) == 0 {
		x.types = entity.Registry()
	}
	if x.store, err = c.database(ctx, asked.Storage); err != nil {
		return err
	}
	defer x.store.Close()
	ctx = asSystem(ctx)
	if x.portfolio, err = takeout.Portfolio(ctx, x.store, asked.Portfolio); err != nil {
		return fmt.Errorf("portfolio %s: %w", asked.Portfolio, err)
	}
	if err := x.write(ctx, asked.Format, asked.Out); err != nil {
		return err
	}
	return x.store.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		for _, e := range x.types {
			if err := takeout.Note(ctx, e.Name, x.portfolio, x.rows[e.Name], asked.Format); err != nil {
				return err
			}
			fmt.Fprintf(x.err, "%s: %s\n", e.Name, count(x.rows[e.Name], "row"))
		}
		return nil
	})
}

// write chooses where the files go.
func (x *exporting) write(ctx context.Context, format, out string) error {
	switch {
	case out == "":
		return x.one(ctx, x.out, x.types[0], format)
	case format != "jsonl":
		return file(out, func(w io.Writer) error { return x.one(ctx, w, x.types[0], format) })
	case strings.HasSuffix(strings.ToLower(out), ".zip"):
		return file(out, func(w io.Writer) error {
			z := zip.NewWriter(w)
			for _, e := range x.types {
				part, err := z.CreateHeader(&zip.FileHeader{Name: e.Name + ".jsonl", Method: zip.Deflate, Modified: time.Now().UTC()})
				if err == nil {
					err = x.one(ctx, part, e, format)
				}
				if err != nil {
					return err
				}
			}
			return z.Close()
		})
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return err
	}
	for _, e := range x.types {
		if err := file(filepath.Join(out, e.Name+".jsonl"), func(w io.Writer) error { return x.one(ctx, w, e, format) }); err != nil {
			return err
		}
	}
	return nil
}

// file writes a new file, or nothing: one that broke off half-way is removed.
func file(name string, fill func(io.Writer) error) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if err = fill(w); err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(name)
	}
	return err
}

// one writes the rows of one type.
func (x *exporting) one(ctx context.Context, w io.Writer, e *entity.Entity, format string) error {
	switch format {
	case "csv":
		return x.csv(ctx, w, e)
	case "xlsx":
		return x.xlsx(ctx, w, e)
	}
	return takeout.Rows(ctx, x.store, e, x.portfolio, "", func(_ ident.ID, line []byte) error {
		x.rows[e.Name]++
		_, err := w.Write(line)
		return err
	})
}

// csv writes names, ids and texts as they are, as the import reads them.
func (x *exporting) csv(ctx context.Context, w io.Writer, e *entity.Entity) error {
	fields := takeout.Fields(ctx, e)
	out, line := csv.NewWriter(w), []string{"id"}
	for _, f := range fields {
		line = append(line, f.Name)
	}
	if err := out.Write(line); err != nil {
		return err
	}
	err := takeout.Each(ctx, x.store, e, x.portfolio, "", func(row entity.Row, _ map[string][]ident.ID) error {
		x.rows[e.Name]++
		line = append(line[:0], row.ID.String())
		for _, f := range fields {
			line = append(line, entity.Text(e.Value(row, f.Name)))
		}
		return out.Write(line)
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

// xlsx writes a workbook with values as what they are.
func (x *exporting) xlsx(ctx context.Context, w io.Writer, e *entity.Entity) error {
	fields := takeout.Fields(ctx, e)
	columns := []sheet.Column{{Title: "id"}}
	for _, f := range fields {
		columns = append(columns, sheet.Column{Title: f.Name})
	}
	book := sheet.NewBook()
	defer book.Close()
	page, err := book.Page(e.Name, columns, sheet.Options{Filter: true})
	if err != nil {
		return err
	}
	if err := takeout.Each(ctx, x.store, e, x.portfolio, "", func(row entity.Row, _ map[string][]ident.ID) error {
		x.rows[e.Name]++
		cells := []sheet.Cell{sheet.Text(row.ID.String())}
		for _, f := range fields {
			cells = append(cells, cell(e.Value(row, f.Name)))
		}
		return page.Row(cells...)
	}); err != nil {
		return err
	}
	return book.Send(w)
}

func cell(v any) sheet.Cell {
	switch v := v.(type) {
	case nil:
		return sheet.Cell{}
	case money.Amount:
		return sheet.Number(v)
	case civil.Date:
		return sheet.Date(v)
	case time.Time:
		return sheet.Time(v, time.UTC)
	case bool:
		return sheet.Bool(v)
	case int:
		return sheet.Int(v)
	}
	return sheet.Text(entity.Text(v))
}
