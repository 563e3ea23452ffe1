package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"

	"steward/ent"
	"steward/internal/area/budget"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// The grid speaks JSON: amounts are exact decimals as text, null clears a cell.

type cellsAsked struct {
	Cells []struct {
		LineID  ident.ID     `json:"lineId"`
		Period  civil.Period `json:"period"`
		Field   budget.Field `json:"field"`
		Amount  *string      `json:"amount"`
		Version int          `json:"version"`
	} `json:"cells"`
	Reason string `json:"reason"`
}

type cellAnswer struct {
	Period   civil.Period `json:"period"`
	Planned  *string      `json:"planned"`
	Forecast *string      `json:"forecast"`
	Actual   *string      `json:"actual"`
	Version  int          `json:"version"`
}

type lineAnswer struct {
	ID    ident.ID     `json:"id"`
	Cells []cellAnswer `json:"cells"`
}

type clashAnswer struct {
	LineID ident.ID `json:"lineId"`
	cellAnswer
	Before *cellAnswer `json:"before"`
	By     string      `json:"by"`
	At     string      `json:"at"`
}

type fieldAnswer struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

type cellsAnswer struct {
	Lines []lineAnswer `json:"lines,omitempty"`
	Undo  string       `json:"undo,omitempty"`
	// Of a refusal: its code, what to say, and which cells it is about.
	Code    errs.Code     `json:"code,omitempty"`
	Message string        `json:"message,omitempty"`
	Fields  []fieldAnswer `json:"fields,omitempty"`
	Clashes []clashAnswer `json:"clashes,omitempty"`
}

// most is how many bytes a batch of cells may have.
const most = 1 << 20

// setCells writes what the grid sends. The same request under the same
// Idempotency-Key is answered as it was the first time.
func (s *site) setCells(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		return s.cellsRefused(w, r, errs.New(errs.Limit, "budgetpage.too_large"))
	}
	in, err := readCells(body)
	if err != nil {
		return s.cellsRefused(w, r, err)
	}
	answer, err := s.once(r.Context(), r.Header.Get("Idempotency-Key"), "cells "+string(body), func(ctx context.Context) (string, error) {
		out, err := budget.SetCells(ctx, s.store, in)
		if err != nil {
			return "", err
		}
		a := cellsAnswer{Undo: out.UndoToken}
		for _, l := range out.Lines {
			line := lineAnswer{ID: l.ID}
			for _, c := range l.Cells {
				line.Cells = append(line.Cells, cellOfGrid(c))
			}
			a.Lines = append(a.Lines, line)
		}
		b, err := json.Marshal(a)
		return string(b), err
	})
	if err != nil {
		return s.cellsRefused(w, r, err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = io.WriteString(w, answer)
	return err
}

func readCells(body []byte) (budget.SetCellsInput, error) {
	var asked cellsAsked
	if err := json.Unmarshal(body, &asked); err != nil {
		return budget.SetCellsInput{}, errs.New(errs.Validation, "error.validation").Wrap(err)
	}
	in := budget.SetCellsInput{Reason: asked.Reason, NoTotals: true}
	for i, c := range asked.Cells {
		edit := budget.CellEdit{LineID: c.LineID, Period: c.Period, Field: c.Field, Version: c.Version}
		if c.Amount != nil {
			a, err := money.Parse(*c.Amount)
			if err != nil {
				e := errs.As(err)
				return in, errs.Invalid(cellPath(i), e.Key, e.Args...)
			}
			edit.Amount = &a
		}
		in.Cells = append(in.Cells, edit)
	}
	return in, nil
}

// once runs do in a transaction and remembers its answer under the person's key, so
// that a request sent again does not write again. Without a key it just runs.
func (s *site) once(ctx context.Context, key, request string, do func(context.Context) (string, error)) (string, error) {
	if key == "" {
		return do(ctx)
	}
	if len(key) > 100 {
		return "", errs.Invalid("Idempotency-Key", "error.too_long", "max", 100)
	}
	owner := viewer.From(ctx).ID.String()
	sum := sha256.Sum256([]byte(request))
	hash := hex.EncodeToString(sum[:])
	var answer string
	err := s.store.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		err := s.store.Claim(ctx, owner, key, hash)
		if err != nil {
			return err
		}
		if answer, err = do(ctx); err != nil {
			return err
		}
		return s.store.Answer(ctx, owner, key, answer)
	})
	if err == nil {
		return answer, nil
	}
	// Mostly a request comes once, so only one that fails is looked up: it may be a repetition.
	switch first, known, again := s.store.Remembered(ctx, owner, key, hash); {
	case errs.CodeOf(again) == errs.Idempotency:
		return "", again
	case known:
		return first, nil
	}
	return "", err
}

// cellsRefused says in the grid's language why nothing was written.
func (s *site) cellsRefused(w http.ResponseWriter, r *http.Request, err error) error {
	ctx := r.Context()
	e := errs.As(store.Known(err))
	status := statuses[e.Code]
	if e.Code == errs.Internal || e.Code == errs.Unavailable || e.Code == errs.Unauthenticated {
		return err // for the log and the sign-in
	}
	a := cellsAnswer{Code: e.Code, Message: i18n.ErrorC(ctx, e)}
	for _, f := range i18n.Fields(i18n.From(ctx), e) {
		a.Fields = append(a.Fields, fieldAnswer{f.Path, f.Text})
	}
	clashes, _ := e.Current.([]budget.Clash)
	for _, c := range clashes {
		x := clashAnswer{LineID: c.LineID, By: c.By, At: i18n.Time(i18n.From(ctx), c.At, i18n.Zone(ctx)),
			cellAnswer: cellOfGrid(budget.CellValue{Period: c.Period, Planned: c.Planned, Forecast: c.Forecast, Actual: c.Actual, Version: c.Version})}
		if c.Before != nil {
			before := cellOfGrid(*c.Before)
			x.Before = &before
		}
		a.Clashes = append(a.Clashes, x)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(a)
}

func cellOfGrid(c budget.CellValue) cellAnswer {
	return cellAnswer{c.Period, exact(c.Planned), exact(c.Forecast), exact(c.Actual), c.Version}
}

func exact(a *money.Amount) *string {
	if a == nil {
		return nil
	}
	s := a.String()
	return &s
}
