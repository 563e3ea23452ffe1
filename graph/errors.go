package graph

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// wrong is one entry of extensions.fields.
type wrong struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// present turns any error into what a caller may read: a code, the request's id,
// a sentence in their language, and nothing of the database, of Go or of rows
// they may not see. What it leaves out is logged.
func (d *door) present(ctx context.Context, err error) *gqlerror.Error {
	var g *gqlerror.Error
	if !errors.As(err, &g) {
		g = &gqlerror.Error{Err: err, Path: graphql.GetPath(ctx)}
	}
	e := d.known(ctx, err, g)
	lang := ""
	if v := viewer.From(ctx); v != nil {
		lang = v.Lang
	}
	refusal(ctx, e.Code)
	if c := callOf(ctx); c != nil {
		c.fault(e.Code)
	}
	ext := map[string]any{"code": string(e.Code), "requestId": requestID(ctx)}
	out := &gqlerror.Error{Message: i18n.Error(lang, e), Path: g.Path, Extensions: ext}
	if e.Code == errs.CodeNotFound {
		return out
	}
	if e.Key == "graph.not_stored" {
		ext["reason"] = "PERSISTED_QUERY_NOT_FOUND" // what clients of Apollo look for
	}
	out.Locations = g.Locations
	fields := make([]wrong, 0, len(e.Fields))
	for _, f := range i18n.Fields(lang, e) {
		fields = append(fields, wrong{inputPath(f.Path), f.Text})
	}
	if len(fields) > 0 {
		ext["fields"] = fields
	}
	if e.Current != nil {
		ext["current"] = shape(e.Current)
	}
	for i := 0; i+1 < len(e.Args) && e.Code == errs.Conflict; i += 2 {
		if name := fmt.Sprint(e.Args[i]); name == "who" || name == "when" {
			ext[name] = e.Args[i+1]
		}
	}
	return out
}

// refusal notes what the caller was not allowed to do: what is forbidden, and
// writes to what is not there for them. It is told when the request has ended, for
// its transaction may be open now.
func refusal(ctx context.Context, code errs.Code) {
	c, fc := callOf(ctx), graphql.GetFieldContext(ctx)
	if c != nil && fc != nil && fc.Field.Field != nil && (code == errs.CodeForbidden || code == errs.CodeNotFound && c.writes) {
		c.refused.Store(fc.Field.Name, string(code))
	}
}

// known finds the error of ours in what went wrong, or makes one.
func (d *door) known(ctx context.Context, err error, g *gqlerror.Error) *errs.Error {
	var e *errs.Error
	if errors.As(store.Known(err), &e) {
		if e.Code == errs.Validation && len(e.Fields) == 0 {
			if path := argumentPath(ctx, g); path != "" {
				return errs.New(errs.Validation, "error.validation").With(errs.Field{Path: path, Key: e.Key, Args: e.Args})
			}
		}
		if e.Code == errs.Internal || e.Code == errs.Unavailable {
			d.log.ErrorContext(ctx, "graphql", "err", err, "request_id", requestID(ctx))
		}
		return e
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errs.New(errs.Unavailable, "graph.timeout").Wrap(err)
	}
	if strings.Contains(err.Error(), "ent: empty predicate") { // and, or, not around nothing
		return errs.Invalid("where", "error.invalid_value").Wrap(err)
	}
	switch code, _ := g.Extensions["code"].(string); {
	case code == string(errs.CodeNotFound): // from the generated node lookup
		return errs.NotFound()
	case strings.HasPrefix(code, "GRAPHQL_"):
		return errs.New(errs.Validation, "graph.document", "detail", g.Message)
	}
	if path := argumentPath(ctx, g); path != "" {
		return errs.Invalid(path, "error.invalid_value").Wrap(err)
	}
	d.log.ErrorContext(ctx, "graphql", "err", err, "request_id", requestID(ctx))
	return errs.New(errs.Internal, "error.internal").Wrap(err)
}

// argumentPath returns where in a field's arguments the error lies, "" when it
// is not about an argument: gqlgen appends their names to the field's own path.
func argumentPath(ctx context.Context, g *gqlerror.Error) string {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || len(g.Path) <= len(fc.Path()) {
		return ""
	}
	var parts []string
	for _, p := range g.Path[len(fc.Path()):] {
		parts = append(parts, fmt.Sprint(element(p)))
	}
	return strings.TrimPrefix(strings.Join(parts, "."), "input.")
}

func element(p ast.PathElement) any {
	switch p := p.(type) {
	case ast.PathName:
		return string(p)
	case ast.PathIndex:
		return int(p)
	}
	return p
}

// recovered logs a panic with its stack and answers with the request's id.
func (d *door) recovered(ctx context.Context, p any) error {
	err := fmt.Errorf("panic: %v", p)
	d.log.ErrorContext(ctx, "graphql", "err", err, "request_id", requestID(ctx), "stack", string(debug.Stack()))
	return errs.New(errs.Internal, "error.internal").Wrap(err)
}

func requestID(ctx context.Context) string {
	if c := callOf(ctx); c != nil {
		return c.id
	}
	return ""
}

// names are the GraphQL names of columns, for the paths of wrong values.
var names = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, e := range entity.Registry() {
		for _, f := range e.Fields {
			m[f.Name] = f.GQL
		}
	}
	return m
})

// inputPath writes a path of columns as one of GraphQL inputs.
func inputPath(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		if n := names()[p]; n != "" {
			parts[i] = n
		}
	}
	return strings.Join(parts, ".")
}
