// Package viewer says on whose behalf something runs. Every read and write in
// Steward carries a Viewer in its context; without one the store answers
// nothing. The doors (web, graph, command line, jobs) put it there and nobody
// else may.
//
// It imports only other rules packages.
package viewer

import (
	"context"
	"time"

	"steward/internal/rules/ident"
)

// Kind tells people, integrations and the system itself apart in the audit.
type Kind string

// The three kinds of actor.
const (
	Person      Kind = "PERSON"
	Integration Kind = "INTEGRATION"
	System      Kind = "SYSTEM"
)

// Via names the door a request came through; it is part of every audit row.
type Via string

// The doors.
const (
	ViaPage   Via = "PAGE"
	ViaAPI    Via = "API"
	ViaImport Via = "IMPORT"
	ViaJob    Via = "JOB"
	ViaCLI    Via = "CLI"
)

// Level is what a membership lets its holder do with the rights of their roles.
type Level string

// Membership levels, from weakest to strongest; LevelPartner stands apart.
const (
	LevelViewer      Level = "VIEWER"
	LevelContributor Level = "CONTRIBUTOR"
	LevelOwner       Level = "OWNER"
	LevelManager     Level = "MANAGER"
	LevelPartner     Level = "PARTNER"
)

// Scope names what a membership is a membership of.
type Scope string

// The kinds of thing one can be a member of. ScopeAll reaches every portfolio,
// also those made later.
const (
	ScopePortfolio Scope = "PORTFOLIO"
	ScopeProduct   Scope = "PRODUCT"
	ScopeVendor    Scope = "VENDOR"
	ScopeTeam      Scope = "TEAM"
	ScopeAll       Scope = "ALL"
)

// Membership connects the viewer to one portfolio, product, vendor or team.
type Membership struct {
	Scope Scope
	ID    ident.ID // empty when Scope is ScopeAll
	Level Level
	// PortfolioID is the portfolio of a product membership, so that the
	// product's owner can be shown where the product lives.
	PortfolioID ident.ID
}

// Viewer is who asks: a person, an integration or the system.
type Viewer struct {
	Kind        Kind
	ID          ident.ID // Person or Integration; empty for the system
	Name        string   // as written into the audit
	Roles       []string // realm role names, see rules/access
	Memberships []Membership
	Via         Via
	RequestID   string
	TokenID     ident.ID // the API token used, if any
	SessionID   ident.ID // the browser session used, if any
	OnBehalfOf  string   // the person an integration acts for, or the operating-system user of the command line
	Lang        string   // "en" or "fr"
	Zone        *time.Location
	AuthTime    time.Time // when the person last proved who they are
}

// IsSystem reports whether the system itself acts: migrations, seeds, jobs and
// the command line, which have full row rights.
func (v *Viewer) IsSystem() bool { return v != nil && v.Kind == System }

// Has reports whether the viewer holds the role.
func (v *Viewer) Has(role string) bool {
	for _, r := range v.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// NewSystem returns the system viewer for a door; user is the operating-system
// user of the command line, or empty.
func NewSystem(via Via, user string) *Viewer {
	return &Viewer{Kind: System, Name: "Steward", Via: via, OnBehalfOf: user, Lang: "en", Zone: time.UTC}
}

type key struct{}

// With returns a context that carries v.
func With(ctx context.Context, v *Viewer) context.Context { return context.WithValue(ctx, key{}, v) }

// From returns the viewer of ctx, or nil when nobody has been established.
func From(ctx context.Context) *Viewer { v, _ := ctx.Value(key{}).(*Viewer); return v }
