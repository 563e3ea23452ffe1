package seed

import (
	"context"
	"fmt"

	"steward/ent"
	"steward/ent/clientaccount"
	"steward/ent/environment"
	"steward/internal/rules/ident"
)

// notifyClients are the fourteen that the triage has brought to GC Notify.
var notifyClients = []struct {
	name, nameFr, organization string
	risk                       clientaccount.Risk
}{
	{"Campground Reservations", "Réservation de campings", "resources", clientaccount.RiskLOW},
	{"Water Licence Renewals", "Renouvellement des permis d'eau", "resources", clientaccount.RiskLOW},
	{"Student Aid", "Aide aux étudiants", "education", clientaccount.RiskHIGH},
	{"Adult Learning Bursary", "Bourse d'éducation des adultes", "education", clientaccount.RiskLOW},
	{"School Enrolment", "Inscription scolaire", "education", clientaccount.RiskLOW},
	{"Immunisation Reminders", "Rappels de vaccination", "health", clientaccount.RiskHIGH},
	{"Care Aide Registry", "Registre des aides-soignants", "health", clientaccount.RiskLOW},
	{"Ferry Delay Notices", "Avis de retard des traversiers", "transport", clientaccount.RiskLOW},
	{"Commercial Vehicle Permits", "Permis de véhicules commerciaux", "transport", clientaccount.RiskLOW},
	{"Road Event Subscriptions", "Abonnements aux avis routiers", "transport", clientaccount.RiskLOW},
	{"Property Tax Deferment", "Report d'impôt foncier", "finance", clientaccount.RiskLOW},
	{"Small Business Grant", "Subvention aux petites entreprises", "finance", clientaccount.RiskLOW},
	{"Vital Events Certificates", "Certificats d'état civil", "registry", clientaccount.RiskHIGH},
	{"Public Consultation Panel", "Panel de consultation publique", "citizens", clientaccount.RiskLOW},
}

var environments = []struct {
	product, name, region, vendor, owner, onboarding string
	kind                                             environment.Kind
	bluegreen                                        bool
}{
	{"", "Punjab", "Punjab", "OPTIT", "sam.service", "Shortlisted the partner and the profiles", environment.KindPROD, false},
	{"", "AP", "AP", "GWL", "sam.service", "In progress", environment.KindPROD, false},
	{"", "Bihar", "Bihar", "MACROSKIES", "sam.service", "To be decided", environment.KindPREPROD, false},
	{"", "Internal", "Internal", "OPTIT", "ola.oncall", "Shortlisted the partner and the profiles", environment.KindTEST, false},
	{"CHEFS", "CHEFS development", "Silver", "", "ola.oncall", "", environment.KindDEV, false},
	{"CHEFS", "CHEFS test", "Silver", "", "ola.oncall", "", environment.KindTEST, false},
	{"CHEFS", "CHEFS production", "Gold", "", "otto.owner", "", environment.KindPROD, true},
	{"KEYCLOAK", "Sign-on development", "Gold", "", "nadia", "", environment.KindDEV, false},
	{"KEYCLOAK", "Sign-on test", "Gold", "", "nadia", "", environment.KindTEST, false},
	{"KEYCLOAK", "Sign-on production", "Gold and Gold DR", "", "nadia", "", environment.KindPROD, true},
	{"CSS", "Requests production", "Gold", "", "nadia", "", environment.KindPROD, false},
	{"DROP", "DROP test", "Silver", "", "luc", "", environment.KindTEST, false},
	{"DROP", "DROP production", "Silver", "", "luc", "", environment.KindPROD, false},
	{"GC-NOTIFY", "Triage production", "Silver", "", "wen", "", environment.KindPROD, false},
	{"SECONDMENT", "Secondment sandbox", "Silver", "", "otto.owner", "", environment.KindDEV, false},
	{"PERMITS", "Permit Tracker production", "Silver", "", "greta", "", environment.KindPROD, false},
	{"CRVS", "Registration pilot", "District 4", "", "amara", "", environment.KindPROD, false},
}

// client makes the clients of the products and the environments they run in. The four that partners run
// belong to the portfolio as a whole.
func (w *world) client(ctx context.Context, c *ent.Client) error {
	r := chance("clients")
	rows, err := c.ClientAccount.MapCreateBulk(notifyClients, func(q *ent.ClientAccountCreate, i int) {
		x := notifyClients[i]
		q.SetName(x.name).SetNameFr(x.nameFr).SetRisk(x.risk).SetOrganizationID(id(w.organizations, x.organization)).
			SetLiveOn(*w.day(-480 + 30*i + r.IntN(20))).SetContact(fmt.Sprintf("client-%02d@ministry.example", i+1))
	}).Save(ctx)
	if err != nil {
		return err
	}
	served := map[string][]ident.ID{}
	for i, row := range rows {
		w.clients[notifyClients[i].name] = row.ID
		served["GC-NOTIFY"] = append(served["GC-NOTIFY"], row.ID)
		if i%2 == 0 {
			served["CHEFS"] = append(served["CHEFS"], row.ID)
		}
		if i%3 == 0 {
			served["KEYCLOAK"] = append(served["KEYCLOAK"], row.ID)
		}
	}
	for _, p := range []string{"GC-NOTIFY", "CHEFS", "KEYCLOAK"} {
		if err := c.Product.UpdateOneID(w.products[p]).AddClientIDs(served[p]...).Exec(ctx); err != nil {
			return err
		}
	}
	w.made["ClientAccount"] += len(rows)

	w.made["Environment"] += len(environments)
	return c.Environment.MapCreateBulk(environments, func(q *ent.EnvironmentCreate, i int) {
		x := environments[i]
		home := "COMMON-COMPONENTS"
		if x.product != "" {
			home = portfolioOf(x.product)
		}
		q.SetPortfolioID(id(w.portfolios, home)).SetNillableProductID(ref(w.products, x.product)).SetNillableVendorID(ref(w.vendors, x.vendor)).
			SetName(x.name).SetKind(x.kind).SetRegion(x.region).SetOwnerID(id(w.people, x.owner)).SetOnboardingStatus(x.onboarding).SetBlueGreen(x.bluegreen)
		if x.bluegreen {
			q.SetActiveSlot(environment.ActiveSlotBLUE)
		}
	}).Exec(ctx)
}
