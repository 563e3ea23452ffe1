package seed

import (
	"context"

	"steward/ent"
	"steward/internal/rules/ident"
)

var comments = []struct {
	on, short, author, body string
	ago                     int // days
}{
	{"Product", "CHEFS", "otto.owner", "The widgets from the pilot can be merged once the audit is done.", 21},
	{"Product", "CHEFS", "sam.service", "Support hours move to 7 to 19 from next month.", 9},
	{"Product", "CHEFS", "pia.portfolio", "Thank you. Please put the cost of the longer hours into the forecast.", 8},
	{"Product", "SECONDMENT", "hana.people", "Twelve volunteers have agreed to try it.", 5},
	{"Product", "GC-NOTIFY", "wen", "Fourteenth client is live.", 30},
	{"Portfolio", "COMMON-COMPONENTS", "pia.portfolio", "The quarterly review is on the second Monday; figures by the Friday before.", 14},
	{"Portfolio", "COMMON-COMPONENTS", "fia.finance", "The books of last month are closed.", 6},
	{"Contract", "research", "vera.vendor", "Larch has asked whether we renew. I need an answer before the notice date.", 4},
	{"Contract", "research", "pia.portfolio", "Renew for a year; the next round of user tests is planned.", 2},
	{"Contract", "subscription", "paul.procurement", "Renews itself unless we say no. The price goes up by 6 %.", 11},
}

// comment makes a few conversations on records.
func (w *world) comment(ctx context.Context, c *ent.Client) error {
	names := map[string]string{}
	people, err := c.Person.Query().All(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		names[string(p.ID)] = p.Name
	}
	portfolio := w.portfolios["COMMON-COMPONENTS"]
	w.made["Comment"] += len(comments)
	return c.Comment.MapCreateBulk(comments, func(q *ent.CommentCreate, i int) {
		x := comments[i]
		author := id(w.people, x.author)
		q.SetSubjectType(x.on).SetPortfolioID(portfolio).SetAuthorID(author).SetAuthorName(names[string(author)]).SetBody(x.body).SetCreatedAt(w.at(-x.ago))
		var subject ident.ID
		switch x.on {
		case "Product":
			subject = id(w.products, x.short)
			q.SetProductID(subject)
		case "Contract":
			subject = id(w.contracts, x.short)
			for _, k := range contracts {
				if k.short == x.short {
					q.SetVendorID(id(w.vendors, k.vendor))
				}
			}
		default:
			subject = portfolio
		}
		q.SetSubjectID(subject)
	}).Exec(ctx)
}
