package access

import "steward/internal/rules/viewer"

// NavItem is one entry of the main navigation.
type NavItem struct {
	Key     string // of the message "nav.<key>"
	Icon    string // symbol of the sprite
	Path    string
	Section string // of the message "nav.section.<section>"; empty for the items on top
	Entity  string // shown to those who reach any row of it; empty is everybody signed in
	Letter  Letter
}

// Label returns the message id of the item's text, "nav.products".
func (n NavItem) Label() string { return "nav." + n.Key }

// The sections of the navigation, in order.
const (
	SectionTop       = ""
	SectionPortfolio = "portfolio"
	SectionMoney     = "money"
	SectionService   = "service"
	SectionAdmin     = "admin"
)

// NavItems is the whole navigation in order. Do not change it.
var NavItems = []NavItem{
	{"home", "inbox", "/", SectionTop, "", Read},
	{"portfolios", "folder", "/portfolios", SectionPortfolio, "Portfolio", Read},
	{"products", "box", "/products", SectionPortfolio, "Product", Read},
	{"initiatives", "rocket", "/initiatives", SectionPortfolio, "Initiative", Read},
	{"objectives", "target", "/objectives", SectionPortfolio, "Objective", Read},
	{"budget", "wallet", "/budget-plans", SectionMoney, "BudgetPlan", Read},
	{"procurements", "shopping-cart", "/procurements", SectionMoney, "Procurement", Read},
	{"contracts", "file-text", "/contracts", SectionMoney, "Contract", Read},
	{"vendors", "building", "/vendors", SectionMoney, "Vendor", Read},
	{"environments", "server", "/environments", SectionService, "Environment", Read},
	{"clients", "handshake", "/clients", SectionService, "ClientAccount", Read},
	{"teams", "users", "/teams", SectionService, "Team", Read},
	{"components", "puzzle", "/components", SectionService, "Component", Read},
	{"periods", "calendar", "/fiscal-periods", SectionAdmin, "FiscalPeriod", Write},
	{"imports", "upload", "/admin/imports", SectionAdmin, "ImportBatch", Write},
	{"audit", "history", "/admin/audit", SectionAdmin, "ChangeEvent", Read},
	{"integrations", "key-round", "/admin/integrations", SectionAdmin, "Integration", Read},
	{"webhooks", "webhook", "/admin/webhooks", SectionAdmin, "Webhook", Read},
	{"members", "user-check", "/admin/users", SectionAdmin, "Membership", Read},
	{"settings", "sliders-horizontal", "/admin/settings", SectionAdmin, "Setting", Read},
	{"jobs", "cog", "/admin/jobs", SectionAdmin, "Job", Read},
}

// Nav returns the items the viewer may follow, in order. A page that an item
// leads to asks for the same entity and letter, so no shown link is refused.
// Nobody gets an empty list.
func Nav(v *viewer.Viewer) []NavItem {
	var shown []NavItem
	for _, n := range NavItems {
		if v != nil && (n.Entity == "" || May(v, n.Entity, n.Letter)) {
			shown = append(shown, n)
		}
	}
	return shown
}
