package product

import (
	"context"
	"strings"

	"steward/ent"
	entproduct "steward/ent/product"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// MoveInput asks for a product to go to another portfolio.
type MoveInput struct {
	ID        ident.ID
	Portfolio ident.ID // where to
	Version   int      // of the product as the caller saw it
	Reason    string
}

// managed are the roles that move products between portfolios.
var managed = []string{string(access.RolePortfolioManager)}

// MoveToPortfolio takes a product to another portfolio, with everything that is its
// own: initiatives, environments, budget plans with their lines and cells,
// procurements, objectives with their key results and check-ins, and comments. All
// of it changes in one transaction, each row with an audit entry and a new version.
// Contracts stay in their portfolio and go on covering the product; what the audit
// says of the past stays where it happened.
//
// The viewer manages both portfolios. The errors are NotFound for a product or
// portfolio they cannot see, Forbidden where they see one but do not manage it,
// Conflict for a stale version, State for an archived portfolio, and Validation
// naming "reason", "version" or "portfolio" (it is there already).
func MoveToPortfolio(ctx context.Context, s *store.Store, in MoveInput) (*ent.Product, error) {
	in.Reason = strings.TrimSpace(in.Reason)
	err := s.Tx(store.Because(ctx, &in.Reason), func(ctx context.Context, c *ent.Client) error {
		p, err := c.Product.Query().Where(entproduct.ID(in.ID)).Where(s.Lock()).Only(ctx)
		if err != nil {
			return err
		}
		to, err := c.Portfolio.Get(ctx, in.Portfolio)
		if err != nil {
			return err
		}
		v := viewer.From(ctx)
		switch {
		case !access.ForMove(v, "Product", managed).Includes(access.Row{ID: p.ID, Product: p.ID, Portfolio: p.PortfolioID}),
			!access.ForMove(v, "Portfolio", managed).Includes(access.Row{ID: to.ID, Portfolio: to.ID}):
			return errs.Forbidden()
		case in.Version < 1:
			return errs.Invalid("version", "error.required")
		case in.Version != p.Version:
			return s.Stale(ctx, "Product", p.ID, errs.NotFound())
		case in.Reason == "":
			return errs.Invalid("reason", "error.reason_required")
		case to.ID == p.PortfolioID:
			return errs.Invalid("portfolio", "product.already_there")
		case to.ArchivedAt != nil:
			return errs.New(errs.State, "move.archived")
		}
		return rewrite(scope.Elevate(ctx), s, p, to.ID, in.Reason)
	})
	if err != nil {
		return nil, store.Known(err)
	}
	p, err := s.ClientOf(ctx).Product.Get(ctx, in.ID)
	return p, store.Known(err)
}

// carried lists the tables that place their rows by both portfolio and product: the
// product itself first, then all that hangs on it.
func carried() []*entity.Entity {
	out := []*entity.Entity{entity.ByName("Product")}
	for _, e := range entity.All() {
		_, portfolio := e.Field("portfolio_id")
		_, product := e.Field("product_id")
		// The audit is never altered.
		if portfolio && product && e.Versioned && e.Name != "ChangeEvent" {
			out = append(out, e)
		}
	}
	return out
}
