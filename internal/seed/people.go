package seed

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"steward/ent"
	"steward/ent/membership"
	"steward/ent/person"
	"steward/ent/team"
	"steward/internal/platform/devidp"
	"steward/internal/rules/ident"
)

// titles of the demo people, whose names and roles the development sign-in has.
var titles = map[string]string{
	"pia.portfolio": "Portfolio manager", "otto.owner": "Product owner, CHEFS", "fia.finance": "Finance officer", "paul.procurement": "Procurement officer",
	"eva.expense": "Executive director, expense authority", "vera.vendor": "Vendor manager", "sam.service": "Service manager", "ola.oncall": "Site reliability engineer",
	"pat.partner": "Delivery lead, OptIT", "ina.intake": "Intake reviewer", "max.executive": "Assistant deputy minister", "hana.people": "People lead",
	"aud.auditor": "Internal auditor", "ada.admin": "Application administrator", "nora.norole": "Newcomer",
}

// others have no sign-in; they own, manage and build things.
var others = []struct {
	short, name, title, vendor, language string
	employment                           person.Employment
}{
	{"nadia", "Nadia Okafor", "Product owner, single sign-on", "", "en", person.EmploymentEMPLOYEE},
	{"luc", "Luc Tremblay", "Responsable de produit, paiements", "", "fr", person.EmploymentEMPLOYEE},
	{"wen", "Wen Zhao", "Product owner, GC Notify", "", "en", person.EmploymentEMPLOYEE},
	{"iris", "Iris Novak", "Scrum master", "", "en", person.EmploymentEMPLOYEE},
	{"sanjay", "Sanjay Gill", "Developer", "", "en", person.EmploymentEMPLOYEE},
	{"maude", "Maude Pelletier", "Développeuse", "", "fr", person.EmploymentEMPLOYEE},
	{"kofi", "Kofi Mensah", "Developer", "", "en", person.EmploymentCONTRACTOR},
	{"elin", "Elin Sorensen", "Designer", "", "en", person.EmploymentCONTRACTOR},
	{"tariq", "Tariq Aziz-Shah", "Developer", "", "en", person.EmploymentEMPLOYEE},
	{"greta", "Greta Lund", "Portfolio manager, lands and waters", "", "en", person.EmploymentEMPLOYEE},
	{"amara", "Amara Diallo", "Portfolio manager, civil registration", "", "fr", person.EmploymentEMPLOYEE},
	{"anita", "Anita Rao", "Operations engineer", "OPTIT", "en", person.EmploymentVENDOR},
	{"dev", "Dev Mehta", "Operations engineer", "OPTIT", "en", person.EmploymentVENDOR},
	{"sofia", "Sofia Lindqvist", "Transition lead", "GWL", "en", person.EmploymentVENDOR},
	{"tomas", "Tomas Reyes", "Account lead", "MACROSKIES", "en", person.EmploymentVENDOR},
}

// teams and who is in them: "person role share".
var teams = []struct {
	key, name, nameFr, duties, purpose string
	kind                               team.Kind
	members                            []string
}{
	{"FORMINATORS", "Forminators", "Forminators", "DEV, OPS, SUP", "Builds and runs the common hosted form service.", team.KindDELIVERY,
		[]string{"otto.owner|Product owner|60", "iris|Scrum master|50", "sanjay|Developer|100", "maude|Developer|100", "elin|Designer|40", "ola.oncall|On-call|50"}},
	{"PATHFINDER-SSO", "Pathfinder SSO", "Pathfinder SSO", "DEV, OPS, SUP", "Runs the hosted single sign-on and its self-service requests.", team.KindPLATFORM,
		[]string{"nadia|Product owner|100", "tariq|Developer|100", "kofi|Developer|80", "ola.oncall|On-call|50", "iris|Scrum master|50"}},
	{"PAYMENT", "Payment", "Paiement", "DEV, SUP", "Payment discrepancies and the triage of notification clients.", team.KindDELIVERY,
		[]string{"luc|Product owner|60", "wen|Product owner|100", "elin|Designer|60", "kofi|Developer|20"}},
	{"PARTNER-OPS", "Partner operations", "Exploitation par les partenaires", "OPS, SUP", "Engineers of partners who run environments for us.", team.KindVENDOR,
		[]string{"pat.partner|Lead|100", "anita|Engineer|100", "dev|Engineer|100", "sofia|Transition lead|50"}},
}

// staff makes the people and the teams. The demo people get the identity that the development sign-in
// will present, so that whoever signs in is the owner named on the records.
func (w *world) staff(ctx context.Context, c *ent.Client) error {
	demo := devidp.People()
	rows, err := c.Person.MapCreateBulk(demo, func(q *ent.PersonCreate, i int) {
		p := demo[i]
		q.SetName(p.Name()).SetEmail(p.Email()).SetTitle(titles[p.Username]).SetTimeZone(zone)
		if slices.Contains(p.Roles, "partner") {
			q.SetVendorID(id(w.vendors, "OPTIT")).SetEmployment(person.EmploymentVENDOR)
		}
	}).Save(ctx)
	if err != nil {
		return err
	}
	for i, row := range rows {
		w.people[demo[i].Username] = row.ID
	}
	err = c.PersonIdentity.MapCreateBulk(demo, func(q *ent.PersonIdentityCreate, i int) {
		q.SetPersonID(rows[i].ID).SetIssuer(devidp.StoredIssuer).SetSubject(demo[i].Username).SetRoles(slices.Sorted(slices.Values(demo[i].Roles)))
	}).Exec(ctx)
	if err != nil {
		return err
	}
	more, err := c.Person.MapCreateBulk(others, func(q *ent.PersonCreate, i int) {
		o := others[i]
		host := "steward"
		if o.vendor != "" {
			host = strings.ToLower(o.vendor)
		}
		q.SetName(o.name).SetEmail(address(o.name, host)).SetTitle(o.title).SetLanguage(person.Language(o.language)).SetEmployment(o.employment).
			SetTimeZone(zone).SetNillableVendorID(ref(w.vendors, o.vendor))
		if o.vendor == "" {
			q.SetManagerID(w.people["pia.portfolio"])
		}
	}).Save(ctx)
	if err != nil {
		return err
	}
	for i, row := range more {
		w.people[others[i].short] = row.ID
	}
	w.made["Person"] += len(rows) + len(more)
	w.made["PersonIdentity"] += len(demo)

	made, err := c.Team.MapCreateBulk(teams, func(q *ent.TeamCreate, i int) {
		x := teams[i]
		q.SetKey(x.key).SetName(x.name).SetNameFr(x.nameFr).SetKind(x.kind).SetDuties(x.duties).SetPurpose(x.purpose)
	}).Save(ctx)
	if err != nil {
		return err
	}
	var members []*ent.TeamMembershipCreate
	for i, row := range made {
		w.teams[teams[i].key] = row.ID
		for n, m := range teams[i].members {
			part := strings.Split(m, "|")
			members = append(members, c.TeamMembership.Create().SetTeamID(row.ID).SetPersonID(id(w.people, part[0])).SetRole(part[1]).
				SetSharePercent(number(part[2])).SetFrom(*w.day(-700 + 60*n)))
		}
	}
	w.made["Team"] += len(made)
	w.made["TeamMembership"] += len(members)
	return c.TeamMembership.CreateBulk(members...).Exec(ctx)
}

// number reads a small whole number of the tables of this package.
func number(s string) int {
	n := 0
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}

var group = regexp.MustCompile(`^/(portfolios|products|vendors|teams)/([a-z0-9-]+)/([a-z]+)$`)

// memberships gives the demo people what their groups will give them again when they sign in, so that
// tokens and owner fields work before anybody has.
func (w *world) memberships(ctx context.Context, c *ent.Client) error {
	places := map[string]struct {
		scope membership.Scope
		ids   map[string]ident.ID
	}{
		"portfolios": {membership.ScopePORTFOLIO, w.portfolios}, "products": {membership.ScopePRODUCT, w.products},
		"vendors": {membership.ScopeVENDOR, w.vendors}, "teams": {membership.ScopeTEAM, w.teams},
	}
	var rows []*ent.MembershipCreate
	for _, p := range devidp.People() {
		for _, g := range p.Groups {
			m := group.FindStringSubmatch(g)
			if m == nil {
				continue
			}
			at := places[m[1]]
			rows = append(rows, c.Membership.Create().SetPersonID(id(w.people, p.Username)).SetScope(at.scope).
				SetScopeID(id(at.ids, strings.ToUpper(m[2]))).SetLevel(membership.Level(strings.ToUpper(m[3]))).SetGrantedBy(membership.GrantedByIDP))
		}
	}
	w.made["Membership"] += len(rows)
	return c.Membership.CreateBulk(rows...).Exec(ctx)
}
