package devidp

import "slices"

// Person is somebody who can sign in here, or a service account.
type Person struct {
	Username   string // also the subject, so that seeds can name people before they sign in
	GivenName  string
	FamilyName string
	Roles      []string // realm roles
	Groups     []string // full paths, which become memberships
	Disabled   bool     // true refuses sign-in and refresh, as Keycloak does
}

// Name returns the full name as shown and put into tokens.
func (p Person) Name() string { return p.GivenName + " " + p.FamilyName }

// Email returns an address that can reach nobody (example domain).
func (p Person) Email() string { return p.Username + "@steward.example" }

// People returns the fifteen demo people, the same as in
// deploy/keycloak/steward-realm.json: one for each kind of work in the access
// table and one without any role, to see what a newcomer sees.
func People() []Person {
	const shared = "/portfolios/common-components/"
	return []Person{
		{"pia.portfolio", "Pia", "Portfolio", []string{"portfolio-manager"}, []string{shared + "manager"}, false},
		{"otto.owner", "Otto", "Owner", []string{"product-owner"}, []string{"/products/chefs/owner"}, false},
		{"fia.finance", "Fia", "Finance", []string{"finance-officer"}, nil, false},
		{"paul.procurement", "Paul", "Procurement", []string{"procurement-officer"}, nil, false},
		{"eva.expense", "Eva", "Expense", []string{"expense-authority"}, []string{shared + "viewer"}, false},
		{"vera.vendor", "Vera", "Vendor", []string{"vendor-manager"}, nil, false},
		{"sam.service", "Sam", "Service", []string{"service-manager"}, []string{shared + "contributor"}, false},
		{"ola.oncall", "Ola", "On-Call", []string{"engineer"}, []string{"/products/chefs/contributor"}, false},
		{"pat.partner", "Pat", "Partner", []string{"partner"}, []string{"/vendors/optit/partner"}, false},
		{"ina.intake", "Ina", "Intake", []string{"intake-reviewer"}, nil, false},
		{"max.executive", "Max", "Executive", []string{"executive"}, nil, false},
		{"hana.people", "Hana", "People", []string{"people-lead"}, nil, false},
		{"aud.auditor", "Aud", "Auditor", []string{"auditor"}, nil, false},
		{"ada.admin", "Ada", "Admin", []string{"app-admin"}, nil, false},
		{"nora.norole", "Nora", "Norole", nil, nil, false},
	}
}

// Change alters one demo person while the provider runs: their roles, groups or
// Disabled. It reports whether that username exists.
func (p *Provider) Change(username string, change func(*Person)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	person := p.person(username)
	if person == nil {
		return false
	}
	person.Roles, person.Groups = slices.Clone(person.Roles), slices.Clone(person.Groups)
	change(person)
	return true
}

// Clients returns the applications of the demonstration: Steward itself, which
// returns to baseURL and is told of ended sessions at internalURL, and one
// integration, int-demo, whose secret is "int-demo-dev-secret".
func Clients(baseURL, internalURL, secret string) []Client {
	return []Client{
		{ID: "steward-web", Secret: secret, RedirectURIs: []string{baseURL + "/auth/callback"}, PostLogoutURIs: []string{baseURL + "/"},
			BackchannelLogout: internalURL + "/auth/backchannel-logout"},
		{ID: "int-demo", Secret: "int-demo-dev-secret", Audience: "steward-api",
			ServiceAccount: &Person{Username: "service-account-int-demo", GivenName: "int-demo", Roles: []string{"contributor"}}},
	}
}
