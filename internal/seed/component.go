package seed

import (
	"context"

	"steward/ent"
	"steward/ent/component"
	"steward/ent/dependency"
	"steward/internal/rules/ident"
)

var capabilities = []struct{ short, name, nameFr, parent string }{
	{"messages", "Messages", "Messages", ""},
	{"email", "E-mail", "Courriel", "messages"},
	{"sms", "Text message", "Message texte", "messages"},
	{"forms", "Forms", "Formulaires", ""},
	{"intake", "Application intake", "Réception des demandes", "forms"},
	{"identity", "Identity", "Identité", ""},
	{"signon", "Single sign-on", "Authentification unique", "identity"},
	{"payments", "Payments", "Paiements", ""},
	{"documents", "Document generation", "Production de documents", ""},
	{"grants", "Grant programme", "Programme de subventions", ""},
}

// components from simple to complex: a part comes before what it is part of.
var components = []struct {
	key, name, nameFr, summary, team, release string
	kind                                      component.Kind
	lifecycle                                 component.Lifecycle
	offers, parts, products                   []string
	supportEnds                               int // days from today; 0 is not known
}{
	{"POSTGRES", "PostgreSQL cluster", "Grappe PostgreSQL", "Two nodes and a witness in Gold.", "PATHFINDER-SSO", "16.4", component.KindDATABASE, component.LifecyclePRODUCTION,
		nil, nil, []string{"CHEFS", "KEYCLOAK", "CSS", "DROP", "GC-NOTIFY"}, 720},
	{"CHES", "Common Hosted E-mail Service", "Service commun de courriel", "Sends and schedules e-mail.", "FORMINATORS", "2.9", component.KindSERVICE, component.LifecyclePRODUCTION,
		[]string{"email", "messages"}, nil, []string{"CHEFS", "DROP"}, 0},
	{"CDOGS", "Document Generation Service", "Service de production de documents", "Fills templates.", "FORMINATORS", "2.4", component.KindSERVICE, component.LifecyclePRODUCTION,
		[]string{"documents"}, nil, []string{"CHEFS"}, 0},
	{"NOTIFY", "GC Notify", "Notification GC", "The Canadian Digital Service's messages.", "", "", component.KindEXTERNAL, component.LifecyclePRODUCTION,
		[]string{"email", "sms"}, nil, []string{"GC-NOTIFY"}, 0},
	{"REALM", "Shared realm", "Domaine partagé", "The standard realm in Gold.", "PATHFINDER-SSO", "26", component.KindSERVICE, component.LifecyclePRODUCTION,
		[]string{"signon", "identity"}, []string{"POSTGRES"}, []string{"KEYCLOAK", "CSS", "CHEFS"}, 400},
	{"FORM-ENGINE", "Form engine", "Moteur de formulaires", "Renders and validates forms.", "FORMINATORS", "5.1", component.KindLIBRARY, component.LifecyclePRODUCTION,
		[]string{"forms"}, []string{"CHES", "CDOGS", "REALM"}, []string{"CHEFS"}, 0},
	{"INTAKE", "Application intake", "Réception des demandes", "Apply, evaluate, decide.", "FORMINATORS", "0.8", component.KindSERVICE, component.LifecycleEXPERIMENTAL,
		[]string{"intake"}, []string{"FORM-ENGINE", "CHES"}, []string{"SECONDMENT", "GC-NOTIFY"}, 0},
	{"GRANTS", "Grant programme kit", "Trousse de subventions", "Application, evaluation and payment of any grant programme.", "PAYMENT", "0.2", component.KindSERVICE, component.LifecycleEXPERIMENTAL,
		[]string{"grants"}, []string{"INTAKE", "PAY-LEDGER"}, nil, 0},
	{"PAY-LEDGER", "Payment ledger feed", "Flux du grand livre", "Nightly file from the ministry's ledger.", "PAYMENT", "", component.KindDATA_EXCHANGE, component.LifecyclePRODUCTION,
		[]string{"payments"}, nil, []string{"DROP"}, 0},
	{"OLD-SMTP", "Mail relay", "Relais de courriel", "To be replaced by the hosted e-mail service.", "PAYMENT", "1.0", component.KindINFRASTRUCTURE, component.LifecycleDEPRECATED,
		[]string{"email"}, nil, []string{"DROP"}, 45},
}

var dependencies = []struct {
	name, product, component, on, organization, contact string
	direction                                           dependency.Direction
	strength                                            dependency.Strength
}{
	{"Sign-on for form designers", "CHEFS", "", "REALM", "", "Pathfinder SSO channel", dependency.DirectionUPSTREAM, dependency.StrengthHARD},
	{"E-mail on submission", "CHEFS", "", "CHES", "", "Forminators on-call", dependency.DirectionUPSTREAM, dependency.StrengthSOFT},
	{"Container platform", "KEYCLOAK", "", "", "cloud", "platform desk", dependency.DirectionUPSTREAM, dependency.StrengthHARD},
	{"Nightly ledger file", "DROP", "", "PAY-LEDGER", "finance", "ledger operations", dependency.DirectionEXCHANGE, dependency.StrengthHARD},
	{"Review by the Digital Service", "GC-NOTIFY", "", "NOTIFY", "digital", "bi-weekly check-in", dependency.DirectionUPSTREAM, dependency.StrengthHARD},
	{"Learning portal uses the forms", "CHEFS", "", "", "education", "client manager", dependency.DirectionDOWNSTREAM, dependency.StrengthSOFT},
	{"Realm keeps its data in the cluster", "", "REALM", "POSTGRES", "", "database desk", dependency.DirectionUPSTREAM, dependency.StrengthHARD},
}

// component makes the catalogue: what parts can do, what they are made of, which products use them.
func (w *world) component(ctx context.Context, c *ent.Client) error {
	for _, x := range capabilities {
		row, err := c.Capability.Create().SetName(x.name).SetNameFr(x.nameFr).SetNillableParentID(ref(w.capabilities, x.parent)).Save(ctx)
		if err != nil {
			return err
		}
		w.capabilities[x.short] = row.ID
	}
	w.made["Capability"] += len(capabilities)

	uses := map[string][]ident.ID{} // product → components
	rows, err := c.Component.MapCreateBulk(components, func(q *ent.ComponentCreate, i int) {
		x := components[i]
		q.SetKey(x.key).SetName(x.name).SetNameFr(x.nameFr).SetSummary(x.summary).SetKind(x.kind).SetLifecycle(x.lifecycle).SetRelease(x.release).
			SetNillableTeamID(ref(w.teams, x.team))
		for _, o := range x.offers {
			q.AddCapabilityIDs(id(w.capabilities, o))
		}
		if x.supportEnds != 0 {
			q.SetSupportEndsOn(*w.day(x.supportEnds))
		}
	}).Save(ctx)
	if err != nil {
		return err
	}
	for i, row := range rows {
		w.components[components[i].key] = row.ID
		for _, p := range components[i].products {
			uses[p] = append(uses[p], row.ID)
		}
	}
	w.made["Component"] += len(rows)
	for _, x := range components {
		if len(x.parts) == 0 {
			continue
		}
		q := c.Component.UpdateOneID(w.components[x.key])
		for _, part := range x.parts {
			q.AddPartIDs(id(w.components, part))
		}
		if err := q.Exec(ctx); err != nil {
			return err
		}
	}
	for _, p := range products {
		if len(uses[p.key]) > 0 {
			if err := c.Product.UpdateOneID(w.products[p.key]).AddComponentIDs(uses[p.key]...).Exec(ctx); err != nil {
				return err
			}
		}
	}
	w.made["Dependency"] += len(dependencies)
	return c.Dependency.MapCreateBulk(dependencies, func(q *ent.DependencyCreate, i int) {
		x := dependencies[i]
		q.SetName(x.name).SetDirection(x.direction).SetStrength(x.strength).SetContact(x.contact).SetNillableProductID(ref(w.products, x.product)).
			SetNillableComponentID(ref(w.components, x.component)).SetNillableOnComponentID(ref(w.components, x.on)).
			SetNillableOrganizationID(ref(w.organizations, x.organization))
	}).Exec(ctx)
}
