package graph

import (
	"context"
	"net/http"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
)

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
	graphql.ResponseInterceptor
} = (*door)(nil)

// ExtensionName of the gqlgen extension.
func (*door) ExtensionName() string { return "Door" }

// Validate has nothing to check in the schema.
func (*door) Validate(graphql.ExecutableSchema) error { return nil }

// cost is what extensions.cost says.
type cost struct {
	Requested int `json:"requested"`
	Remaining int `json:"remaining"`
}

// MutateOperationParameters counts a document that has not been seen before,
// before anything else walks it.
func (d *door) MutateOperationParameters(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
	if _, seen := d.documents.Get(ctx, p.Query); seen {
		return nil
	}
	if err := d.limits.Document.check(p.Query); err != nil {
		return gqlerror.Wrap(err)
	}
	return nil
}

// MutateOperationContext prices a valid operation, charges for it, and refuses
// what must not run.
func (d *door) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	c := callOf(ctx)
	c.kind = string(oc.Operation.Operation)
	if r := obs.RequestFrom(ctx); r != nil {
		r.SetOperation(oc.Operation.Name)
		r.SetVia("api")
	}
	p, err := d.plan(c.viewer, oc)
	if p != nil {
		c.asked = p.points
	}
	if err != nil {
		return gqlerror.Wrap(err)
	}
	if p.points > d.limits.Points {
		return gqlerror.Wrap(errs.New(errs.Limit, "graph.points", "points", p.points, "max", d.limits.Points))
	}
	if oc.Operation.Operation == ast.Subscription && c.stream == nil {
		return gqlerror.Wrap(errs.New(errs.Validation, "graph.stream_accept"))
	}
	if err := d.charge(c); err != nil {
		return gqlerror.Wrap(err)
	}
	oc.DisableIntrospection = !p.introspects
	if p.hides || c.stream != nil { // during a stream rights may become fewer
		hide(oc, c.viewer)
	}
	if c.writes = oc.Operation.Operation == ast.Mutation; c.writes {
		serialise(oc)
	}
	c.plan = p
	return nil
}

// charge takes the request's points from the caller's purse.
func (d *door) charge(c *call) error {
	if d.meter.points == 0 {
		c.left = d.limits.Points - c.asked
		return nil
	}
	left, wait := d.meter.charge(c.viewer, c.asked)
	c.left = left
	d.tellRate(c)
	if wait > 0 {
		seconds := int(wait.Seconds()) + 1
		c.wait(http.StatusTooManyRequests, seconds)
		return errs.New(errs.Limit, "graph.rate", "seconds", seconds)
	}
	return nil
}

// serialise makes the resolvers of one mutation run one at a time: a transaction
// is one connection. What PostgreSQL refuses because an earlier statement failed is
// answered with that failure.
func serialise(oc *graphql.OperationContext) {
	next, one, first := oc.ResolverMiddleware, &sync.Mutex{}, error(nil)
	oc.ResolverMiddleware = func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		one.Lock()
		defer one.Unlock()
		v, err := next(ctx, resolve)
		if first == nil {
			first = err
		}
		if store.Aborted(err) {
			err = first
		}
		return v, err
	}
}

// InterceptResponse runs the operation within its time, a mutation within one
// transaction, and says what it cost.
func (d *door) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	c := callOf(ctx)
	if c == nil || graphql.GetOperationContext(ctx).Operation != nil && graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		return next(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, d.limits.Timeout)
	defer cancel()
	var resp *graphql.Response
	if c.plan != nil && graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
		resp = d.mutate(ctx, c, next)
	} else {
		resp = next(ctx)
	}
	if resp == nil {
		return nil
	}
	told := true // what an absent row costs would tell it from a hidden one
	for _, e := range resp.Errors {
		told = told && e.Extensions["code"] != string(errs.CodeNotFound)
		if e.Extensions["code"] == string(errs.Unavailable) && c.status == 0 {
			c.wait(http.StatusServiceUnavailable, 5)
		}
	}
	if told {
		if resp.Extensions == nil {
			resp.Extensions = map[string]any{}
		}
		resp.Extensions["cost"] = cost{c.asked, c.left}
	}
	return resp
}
