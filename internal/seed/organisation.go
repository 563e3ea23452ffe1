package seed

import (
	"context"
	"strings"

	"steward/ent"
	"steward/ent/customfield"
	"steward/ent/organization"
	"steward/ent/tag"
	"steward/ent/vendor"
)

var organizations = []struct {
	short, name, nameFr, parent string
	kind                        organization.Kind
}{
	{"citizens", "Ministry of Citizens' Services", "Ministère des Services aux citoyens", "", organization.KindMINISTRY},
	{"ocio", "Office of the Chief Information Officer", "Bureau du dirigeant principal de l'information", "citizens", organization.KindDIVISION},
	{"programme", "Common Components Program", "Programme des composants communs", "ocio", organization.KindDIVISION},
	{"finance", "Ministry of Finance", "Ministère des Finances", "", organization.KindMINISTRY},
	{"resources", "Ministry of Lands and Waters", "Ministère des Terres et des Eaux", "", organization.KindMINISTRY},
	{"health", "Ministry of Health Services", "Ministère des Services de santé", "", organization.KindMINISTRY},
	{"education", "Ministry of Learning", "Ministère de l'Apprentissage", "", organization.KindMINISTRY},
	{"transport", "Ministry of Roads and Ferries", "Ministère des Routes et des Traversiers", "", organization.KindMINISTRY},
	{"digital", "Digital Service Agency", "Agence du service numérique", "", organization.KindAGENCY},
	{"registry", "Civil Registration Agency", "Agence de l'état civil", "", organization.KindAGENCY},
	{"cloud", "Northern Cloud Cooperative", "Coopérative infonuagique du Nord", "", organization.KindEXTERNAL},
}

var vendors = []struct {
	short, name, registration, website, note string
	status                                   vendor.Status
	risk                                     vendor.Risk
}{
	{"OPTIT", "OptIT", "BN 8001 1122", "https://optit.example", "Runs the Punjab and Internal environments. People shortlisted and trained for four weeks.", vendor.StatusACTIVE, vendor.RiskLOW},
	{"GWL", "GWL", "BN 8001 2233", "https://gwl.example", "On-boarding for the AP environment is under way.", vendor.StatusACTIVE, vendor.RiskMEDIUM},
	{"MACROSKIES", "MacroSkies", "BN 8001 3344", "https://macroskies.example", "Interviewed for the Bihar environment; nothing signed yet.", vendor.StatusSHORTLISTED, vendor.RiskMEDIUM},
	{"CRIMSON", "Crimson Enterprise Software", "BN 8002 0101", "https://crimson.example", "Subscription behind the hosted single sign-on.", vendor.StatusACTIVE, vendor.RiskLOW},
	{"NORTHERN-CLOUD", "Northern Cloud Cooperative", "BN 8002 0202", "https://northern-cloud.example", "Container platform and object storage.", vendor.StatusACTIVE, vendor.RiskMEDIUM},
	{"LARCH", "Larch Digital Studio", "BN 8002 0303", "https://larch.example", "Design and user research by the day.", vendor.StatusACTIVE, vendor.RiskLOW},
	{"TIDEWATER", "Tidewater Security", "BN 8002 0404", "https://tidewater.example", "Penetration tests and accessibility audits.", vendor.StatusACTIVE, vendor.RiskLOW},
	{"OLD-HARBOUR", "Old Harbour Systems", "BN 8002 0505", "", "Left after the payment ledger was moved.", vendor.StatusEXITED, vendor.RiskHIGH},
}

var contacts = []struct{ vendor, name, purpose, phone string }{
	{"OPTIT", "Anita Rao", "Operations desk, day and night", "+1 250 555 0101"},
	{"OPTIT", "Dev Mehta", "Contract and invoices", "+1 250 555 0102"},
	{"GWL", "Sofia Lindqvist", "On-boarding", "+1 250 555 0111"},
	{"MACROSKIES", "Tomas Reyes", "Account", "+1 250 555 0121"},
	{"CRIMSON", "Ruth Adeyemi", "Renewals", "+1 250 555 0131"},
	{"NORTHERN-CLOUD", "Jonas Berg", "Incidents", "+1 250 555 0141"},
	{"TIDEWATER", "Mei Tanaka", "Test dates", "+1 250 555 0151"},
}

var tags = []struct {
	name, nameFr, description string
	tone                      tag.Tone
}{
	{"Common component", "Composant commun", "Used by more than one ministry.", tag.ToneBLUE},
	{"Personal data", "Données personnelles", "Holds personal data; a privacy assessment is on file.", tag.ToneRED},
	{"Up for renewal", "À renouveler", "A decision is due this quarter.", tag.ToneORANGE},
	{"Open source", "Code ouvert", "The source code is public.", tag.ToneGREEN},
	{"Pilot", "Projet pilote", "Low-risk clients only.", tag.ToneVIOLET},
	{"Bilingual", "Bilingue", "Offered in English and French.", tag.ToneNEUTRAL},
}

// organisation makes what everything else refers to: organisations, vendors with their contacts, tags
// and the definitions of custom fields.
func (w *world) organisation(ctx context.Context, c *ent.Client) error {
	for _, o := range organizations { // one at a time: units come after what they belong to
		row, err := c.Organization.Create().SetName(o.name).SetNameFr(o.nameFr).SetCode(strings.ToUpper(o.short)).SetKind(o.kind).
			SetNillableParentID(ref(w.organizations, o.parent)).Save(ctx)
		if err != nil {
			return err
		}
		w.organizations[o.short] = row.ID
	}
	w.made["Organization"] += len(organizations)

	rows, err := c.Vendor.MapCreateBulk(vendors, func(q *ent.VendorCreate, i int) {
		v := vendors[i]
		q.SetKey(v.short).SetName(v.name).SetRegistrationID(v.registration).SetWebsite(v.website).
			SetNote(v.note).SetStatus(v.status).SetRisk(v.risk)
	}).Save(ctx)
	if err != nil {
		return err
	}
	for i, row := range rows {
		w.vendors[vendors[i].short] = row.ID
	}
	w.made["Vendor"] += len(rows)

	err = c.VendorContact.MapCreateBulk(contacts, func(q *ent.VendorContactCreate, i int) {
		x := contacts[i]
		q.SetVendorID(id(w.vendors, x.vendor)).SetName(x.name).SetPurpose(x.purpose).SetPhone(x.phone).SetEmail(address(x.name, strings.ToLower(x.vendor)))
	}).Exec(ctx)
	if err != nil {
		return err
	}
	w.made["VendorContact"] += len(contacts)

	err = c.Tag.MapCreateBulk(tags, func(q *ent.TagCreate, i int) {
		x := tags[i]
		q.SetName(x.name).SetNameFr(x.nameFr).SetDescription(x.description).SetTone(x.tone)
	}).Exec(ctx)
	if err != nil {
		return err
	}
	w.made["Tag"] += len(tags)

	fields := []*ent.CustomFieldCreate{
		c.CustomField.Create().SetEntity("Product").SetCode("data_class").SetName("Data class").SetNameFr("Classe de données").
			SetKind(customfield.KindCHOICE).SetChoices([]string{"Public", "Protected A", "Protected B", "Protected C"}).
			SetHelp("The highest class of data that the product keeps."),
		c.CustomField.Create().SetEntity("Contract").SetCode("green_clause").SetName("Sustainability clause").SetNameFr("Clause de durabilité").
			SetKind(customfield.KindYES_NO),
		c.CustomField.Create().SetEntity("Product").SetCode("people_a_day").SetName("People a day").SetNameFr("Personnes par jour").
			SetKind(customfield.KindNUMBER).SetHelp("On an ordinary working day."),
		c.CustomField.Create().SetEntity("Product").SetCode("privacy_review").SetName("Privacy review").SetNameFr("Examen de la vie privée").
			SetKind(customfield.KindDATE),
		c.CustomField.Create().SetEntity("Product").SetCode("status_page").SetName("Status page").SetNameFr("Page d'état").
			SetKind(customfield.KindLINK),
	}
	w.made["CustomField"] += len(fields)
	return c.CustomField.CreateBulk(fields...).Exec(ctx)
}

// address returns an e-mail address that can reach nobody (example domain).
func address(name, host string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), ".")) + "@" + host + ".example"
}
