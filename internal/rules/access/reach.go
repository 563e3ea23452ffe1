package access

import (
	"slices"

	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// LevelBound is the level of a membership that gives nothing and only says where
// a token counts: the reader of a personal token adds one for each portfolio of
// the token (or one with viewer.ScopeAll), because a role that reaches everything
// must not do so through a token limited to one portfolio.
const LevelBound viewer.Level = "BOUND"

// Reach is the set of rows of one entity that a viewer may touch with one letter:
// a row is inside when any of its columns is named. The zero Reach is nothing.
type Reach struct {
	All        bool // everything; the other fields are then empty
	Portfolios []ident.ID
	Products   []ident.ID
	Vendors    []ident.ID
	Person     ident.ID
}

// Row is what a Reach is compared with: the scope columns of one row and, for a
// Portfolio, Product or Vendor, its own ID. A contract of several products is
// inside when one of them makes it so.
type Row struct{ Portfolio, Product, Vendor, ID, Person ident.ID }

// Empty reports whether the reach holds no row at all.
func (r Reach) Empty() bool {
	return !r.All && len(r.Portfolios)+len(r.Products)+len(r.Vendors) == 0 && r.Person == ""
}

// Includes reports whether a row lies within the reach. Empty ids match nothing;
// ids name their kind, so a row's own ID can only match a list of its kind.
func (r Reach) Includes(row Row) bool {
	in := func(list []ident.ID, ids ...ident.ID) bool {
		return slices.ContainsFunc(ids, func(id ident.ID) bool { return id != "" && slices.Contains(list, id) })
	}
	return r.All || in(r.Portfolios, row.Portfolio, row.ID) || in(r.Products, row.Product, row.ID) ||
		in(r.Vendors, row.Vendor, row.ID) || in([]ident.ID{r.Person}, row.Person)
}

// covers reports whether every row of o is also in r.
func (r Reach) covers(o Reach) bool {
	all := func(have, want []ident.ID) bool {
		return !slices.ContainsFunc(want, func(id ident.ID) bool { return !slices.Contains(have, id) })
	}
	return r.All || !o.All && all(r.Portfolios, o.Portfolios) && all(r.Products, o.Products) &&
		all(r.Vendors, o.Vendors) && (o.Person == "" || o.Person == r.Person)
}

// union returns the rows of either reach, both of one viewer: there is one Person at most.
func (r Reach) union(o Reach) Reach {
	return Reach{
		All:        r.All || o.All,
		Portfolios: append(slices.Clone(r.Portfolios), o.Portfolios...),
		Products:   append(slices.Clone(r.Products), o.Products...),
		Vendors:    append(slices.Clone(r.Vendors), o.Vendors...),
		Person:     max(r.Person, o.Person),
	}.tidy()
}

// tidy sorts the lists, drops repeats and clears what All makes superfluous.
func (r Reach) tidy() Reach {
	if r.All {
		return Reach{All: true}
	}
	for _, list := range []*[]ident.ID{&r.Portfolios, &r.Products, &r.Vendors} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return r
}

// For returns the rows of an entity that the viewer may touch with the letter.
// The system reaches everything; nobody, an unknown entity and an unknown letter
// reach nothing. An empty Reach is an answer too: such rows do not exist for the
// viewer.
//
// Memberships of teams do not count here: the loader of the viewer has already
// turned each into memberships of the team's products.
//
// For entities of ClassRecord the answer holds whatever the record is (the
// auditor, the author's own undo); ForRecord adds what a known record gives.
func For(v *viewer.Viewer, entity string, l Letter) Reach {
	return narrowed(v, entity, l, func(Role) bool { return true })
}

// May reports whether the viewer reaches any row of the entity with the letter.
// It decides links and buttons; a row is decided by For and Includes.
func May(v *viewer.Viewer, entity string, l Letter) bool { return !For(v, entity, l).Empty() }

// Bounded reports whether the viewer acts through a token or as an integration.
// These read, draft and submit; they never approve, execute, award or close, and
// never change members, roles, tokens or sessions (SD-12). A move that rules/flow
// marks as needing a Person is refused when this is true.
func Bounded(v *viewer.Viewer) bool {
	return v != nil && !v.IsSystem() && (v.Kind == viewer.Integration || v.TokenID != "")
}

// noRole stands for what a person has without any role: their own sessions and tokens.
const noRole Role = ""

// narrowed is For with only those of the viewer's roles that keep returns true for.
func narrowed(v *viewer.Viewer, entity string, l Letter, keep func(Role) bool) Reach {
	e, ok := Entities[entity]
	if v == nil || !ok || !slices.Contains(Letters, l) {
		return Reach{}
	}
	if v.IsSystem() {
		return Reach{All: true}
	}
	if v.Kind != viewer.Person && v.Kind != viewer.Integration || Bounded(v) && !e.open(l) {
		return Reach{}
	}
	var r Reach
	if e.Class == ClassOwn && !Bounded(v) && (l == Read || l == Write) && keep(noRole) {
		r.Person = v.ID
	}
	for _, name := range v.Roles {
		if !keep(Role(name)) {
			continue
		}
		for _, g := range Grants(Role(name), e.Resource) {
			if g.Allows(l) {
				r.add(v, e, g.Kind, l)
			}
		}
	}
	return r.tidy()
}

// open reports whether a token may use the letter on the entity.
func (e Entity) open(l Letter) bool {
	if e.Class == ClassOwn || e.Class == ClassSystem {
		return l == Read
	}
	return l == Read || l == Write || l == Submit
}

// add widens the reach by one grant of one of the viewer's roles.
func (r *Reach) add(v *viewer.Viewer, e Entity, kind Kind, l Letter) {
	switch kind {
	case Everywhere:
		if !Bounded(v) {
			r.All = true
			return
		}
	case Self:
		r.Person = v.ID
		return
	case AsRecord:
		return
	}
	for _, m := range v.Memberships {
		if admits(v, kind, m) && (allows(m, l) || kind == Everywhere && m.Level == LevelBound) {
			r.place(e, m, l)
		}
	}
}

// admits reports whether a grant of the kind can work through the membership.
// An integration has no products of its own: whoever made its token named the
// portfolios, so T counts there in the whole of them.
func admits(v *viewer.Viewer, kind Kind, m viewer.Membership) bool {
	wide := m.Scope == viewer.ScopePortfolio || m.Scope == viewer.ScopeAll
	switch kind {
	case InPortfolio, Everywhere:
		return wide || m.Scope == viewer.ScopeProduct
	case InProduct:
		return m.Scope == viewer.ScopeProduct || wide && v.Kind == viewer.Integration
	case OfVendor:
		return m.Scope == viewer.ScopeVendor && m.Level == viewer.LevelPartner
	}
	return false
}

// allows reports whether the level of a membership lets a letter through. An
// owner is the owner of a product; anywhere wider the level counts as contributor.
func allows(m viewer.Membership, l Letter) bool {
	switch m.Level {
	case viewer.LevelViewer:
		return l == Read
	case viewer.LevelContributor:
		return l == Read || l == Write
	case viewer.LevelOwner:
		return l == Read || l == Write || m.Scope == viewer.ScopeProduct
	case viewer.LevelManager:
		return true
	case viewer.LevelPartner:
		return m.Scope == viewer.ScopeVendor
	}
	return false
}

// place adds what the membership is a membership of, through the columns the
// entity has. A shared row lies in no portfolio and mostly in no product, so
// any membership that lets the letter through reaches it. The product's owner
// also reads the portfolio the product lives in.
func (r *Reach) place(e Entity, m viewer.Membership, l Letter) {
	var list *[]ident.ID
	column, id := "", m.ID
	switch m.Scope {
	case viewer.ScopeAll:
		r.All = r.All || e.Columns.Portfolio != "" || e.Class == ClassShared
		return
	case viewer.ScopePortfolio:
		list, column = &r.Portfolios, e.Columns.Portfolio
	case viewer.ScopeProduct:
		list, column = &r.Products, e.Columns.Product
		if e.Name == "Portfolio" && l == Read {
			list, column, id = &r.Portfolios, e.Columns.Portfolio, m.PortfolioID
		}
	case viewer.ScopeVendor:
		list, column = &r.Vendors, e.Columns.Vendor
		if column == "" {
			return
		}
	}
	switch {
	case id == "":
	case column != "":
		*list = append(*list, id)
	case e.Class == ClassShared:
		r.All = true
	}
}
