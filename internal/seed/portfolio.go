package seed

import (
	"context"
	"strings"

	"steward/ent"
	"steward/ent/product"
)

var portfolios = []struct {
	key, name, nameFr, purpose, organization, manager, currency string
	start                                                       int // month in which fiscal years begin
}{
	{"COMMON-COMPONENTS", "Common Components", "Composants communs", "Parts that every ministry needs and nobody should build twice: forms, sign-on, notifications, payments.",
		"programme", "pia.portfolio", "CAD", 4},
	{"LANDS-AND-WATERS", "Lands and Waters Online", "Terres et eaux en ligne", "Permits, tenures and maps for the people who work the land.", "resources", "greta", "CAD", 4},
	{"CIVIL-REGISTRATION", "Civil Registration", "État civil", "Births, marriages and deaths, digitised; paid for by an international grant in US dollars.", "registry", "amara", "USD", 1},
}

var products = []struct {
	portfolio, key, name, nameFr, summary, summaryFr string
	team, owner, sponsor                             string
	stage                                            product.Stage
	criticality                                      product.Criticality
	class                                            product.TimeClass
	since, launched                                  int // days from today; launched 0 is never
	data                                             string
}{
	{"COMMON-COMPONENTS", "CHEFS", "Common Hosted Form Service (CHEFS)", "Service commun de formulaires hébergés (CHEFS)",
		"Anybody in government builds a form, publishes it and reads the answers, without a project.", "Créer, publier et dépouiller un formulaire sans projet informatique.",
		"FORMINATORS", "otto.owner", "max.executive", product.StageENTERPRISE, product.CriticalityHIGH, product.TimeClassINVEST, -420, -1900, "Protected B"},
	{"COMMON-COMPONENTS", "KEYCLOAK", "Common Hosted Single Sign-On (Keycloak)", "Authentification unique hébergée (Keycloak)",
		"One sign-on for government applications, in a shared realm in the Gold cluster.", "Une seule ouverture de session pour les applications du gouvernement.",
		"PATHFINDER-SSO", "nadia", "max.executive", product.StageENTERPRISE, product.CriticalityMISSION, product.TimeClassINVEST, -800, -2300, "Protected B"},
	{"COMMON-COMPONENTS", "CSS", "Common Single Sign-on Requests", "Demandes d'authentification unique",
		"Self-service on-boarding to the shared realm: a team asks, tests and goes live on its own.", "Adhésion en libre-service au domaine partagé.",
		"PATHFINDER-SSO", "nadia", "eva.expense", product.StagePRODUCTION, product.CriticalityMEDIUM, product.TimeClassINVEST, -300, -640, "Protected A"},
	{"COMMON-COMPONENTS", "DROP", "Discrepancy Reporting on Payments (DROP)", "Signalement des écarts de paiement (DROP)",
		"Finds payments that do not match what was ordered and follows them until somebody has explained them.", "Repère les paiements qui ne correspondent pas aux commandes.",
		"PAYMENT", "luc", "fia.finance", product.StagePRODUCTION, product.CriticalityHIGH, product.TimeClassTOLERATE, -250, -900, "Protected B"},
	{"COMMON-COMPONENTS", "GC-NOTIFY", "GC Notify Triage", "Triage de Notification GC",
		"Intake and review of teams that want to send messages through the Canadian Digital Service's Notify.", "Accueil et examen des équipes qui veulent utiliser Notification GC.",
		"PAYMENT", "wen", "eva.expense", product.StagePILOT, product.CriticalityMEDIUM, product.TimeClassINVEST, -180, -500, "Protected A"},
	{"COMMON-COMPONENTS", "SECONDMENT", "Staff Secondment Management", "Gestion des affectations temporaires",
		"Proof of concept: volunteers apply, reviewers match them, programmes follow who is where.", "Démonstration : candidatures, jumelage et suivi des affectations.",
		"", "otto.owner", "hana.people", product.StagePROOF_OF_CONCEPT, product.CriticalityLOW, "", -75, 0, "Protected A"},
	{"LANDS-AND-WATERS", "PERMITS", "Permit Tracker", "Suivi des permis", "Where every land permit stands, for applicants and reviewers.", "L'état de chaque permis d'occupation.",
		"", "greta", "", product.StagePRODUCTION, product.CriticalityHIGH, product.TimeClassINVEST, -600, -1500, "Protected A"},
	{"LANDS-AND-WATERS", "TENURES", "Tenure Maps", "Carte des concessions", "Who may use which land and water, on a map.", "Qui peut exploiter quelle terre et quelle eau.",
		"", "greta", "", product.StageRETIRING, product.CriticalityMEDIUM, product.TimeClassMIGRATE, -90, -3000, "Public"},
	{"CIVIL-REGISTRATION", "CRVS", "Civil Registration and Vital Statistics", "Registre d'état civil", "Registers births, marriages and deaths in every district.", "Enregistre les naissances, les mariages et les décès.",
		"", "amara", "", product.StagePILOT, product.CriticalityMISSION, product.TimeClassINVEST, -200, -350, "Protected C"},
}

// portfolio makes the portfolios and their products. Pia sees the first one only.
func (w *world) portfolio(ctx context.Context, c *ent.Client) error {
	rows, err := c.Portfolio.MapCreateBulk(portfolios, func(q *ent.PortfolioCreate, i int) {
		p := portfolios[i]
		q.SetKey(p.key).SetName(p.name).SetNameFr(p.nameFr).SetPurpose(p.purpose).SetOrganizationID(id(w.organizations, p.organization)).
			SetManagerID(id(w.people, p.manager)).SetDefaultCurrency(p.currency).SetFiscalYearStartMonth(p.start).SetTimeZone(zone)
	}).Save(ctx)
	if err != nil {
		return err
	}
	for i, row := range rows {
		w.portfolios[portfolios[i].key] = row.ID
	}
	w.made["Portfolio"] += len(rows)

	made, err := c.Product.MapCreateBulk(products, func(q *ent.ProductCreate, i int) {
		p := products[i]
		q.SetPortfolioID(id(w.portfolios, p.portfolio)).SetKey(p.key).SetName(p.name).SetNameFr(p.nameFr).SetSummary(p.summary).SetSummaryFr(p.summaryFr).
			SetStage(p.stage).SetStageSince(*w.day(p.since)).SetCriticality(p.criticality).SetNillableTeamID(ref(w.teams, p.team)).
			SetOwnerID(id(w.people, p.owner)).SetNillableSponsorID(ref(w.people, p.sponsor)).SetCustom(w.fieldsOf(p.key, p.data)).
			SetPublic(p.data == "Public")
		if p.class != "" {
			q.SetTimeClass(p.class)
		}
		if p.launched != 0 {
			q.SetLaunchedOn(*w.day(p.launched))
		}
	}).Save(ctx)
	if err != nil {
		return err
	}
	for i, row := range made {
		w.products[products[i].key] = row.ID
	}
	w.made["Product"] += len(made)
	return nil
}

// portfolioOf returns the key of the portfolio that a product of the tables belongs to.
func portfolioOf(key string) string {
	for _, p := range products {
		if p.key == key {
			return p.portfolio
		}
	}
	return ""
}

// busy says how many people use some of the products, and how long ago privacy was
// looked at.
var busy = map[string]struct {
	people string
	review int
}{"CHEFS": {"1250.00", -96}, "KEYCLOAK": {"38400.00", -210}, "CSS": {"64.50", -30}}

// fieldsOf are the values of a product in the fields that the house has added.
func (w *world) fieldsOf(key, class string) map[string]any {
	values := map[string]any{"data_class": class}
	if b, ok := busy[key]; ok {
		values["people_a_day"], values["privacy_review"] = b.people, w.day(b.review).String()
		values["status_page"] = "https://status." + strings.ToLower(key) + ".example/"
	}
	return values
}
