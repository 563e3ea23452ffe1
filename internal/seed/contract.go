package seed

import (
	"context"

	"steward/ent"
	"steward/ent/contract"
	"steward/ent/procurement"
	"steward/internal/rules/civil"
)

// contracts end so many days from today; the contract's own rules work out the notice and the decision.
var contracts = []struct {
	short, portfolio, name, vendor, reference, framework, hours string
	products                                                    []string
	kind                                                        contract.Kind
	status                                                      contract.Status
	value, ceiling                                              int64
	ends, months                                                int // 0 months: no length agreed
	renewal                                                     contract.RenewalMode
	renewalMonths, notice, lead                                 int
}{
	{"env-ops", "COMMON-COMPONENTS", "Environment operations, Punjab and Internal", "OPTIT", "CC-2024-031", "CC-FW-07", "24 × 7, answer in 15 minutes", nil,
		contract.KindSERVICES, contract.StatusAPPROVED, 480000, 560000, 75, 24, contract.RenewalModeEXPRESS, 12, 1, 30},
	{"ap-onboarding", "COMMON-COMPONENTS", "On-boarding for the AP environment", "GWL", "CC-2025-012", "CC-FW-07", "business hours", nil,
		contract.KindSERVICES, contract.StatusAPPROVED, 96000, 110000, 190, 12, contract.RenewalModeNONE, 0, 0, 30},
	{"bihar", "COMMON-COMPONENTS", "Bihar environment, draft terms", "MACROSKIES", "", "", "", nil,
		contract.KindSERVICES, contract.StatusDRAFT, 120000, 0, 400, 12, contract.RenewalModeNONE, 0, 0, 30},
	{"subscription", "COMMON-COMPONENTS", "Sign-on server subscription", "CRIMSON", "CC-2023-104", "", "24 × 7", []string{"KEYCLOAK", "CSS"},
		contract.KindLICENCE, contract.StatusAPPROVED, 312000, 312000, 110, 36, contract.RenewalModeTACIT, 12, 3, 14},
	{"cloud", "COMMON-COMPONENTS", "Container platform", "NORTHERN-CLOUD", "CC-2022-066", "", "24 × 7", []string{"CHEFS", "KEYCLOAK", "CSS", "DROP", "GC-NOTIFY"},
		contract.KindCLOUD, contract.StatusAPPROVED, 1150000, 1300000, 620, 60, contract.RenewalModeEXPRESS, 24, 6, 60},
	{"research", "COMMON-COMPONENTS", "User research and design by the day", "LARCH", "CC-2025-044", "CC-FW-02", "", []string{"CHEFS"},
		contract.KindSERVICES, contract.StatusAPPROVED, 84000, 100000, 52, 12, contract.RenewalModeEXPRESS, 12, 1, 14},
	{"pentest", "COMMON-COMPONENTS", "Yearly penetration tests", "TIDEWATER", "CC-2025-051", "", "", []string{"CHEFS", "KEYCLOAK", "DROP"},
		contract.KindSERVICES, contract.StatusAPPROVED, 72000, 72000, 96, 12, contract.RenewalModeTACIT, 12, 1, 30},
	{"monitoring", "COMMON-COMPONENTS", "Monitoring licences", "TIDEWATER", "CC-2024-090", "", "", []string{"DROP", "CHEFS"},
		contract.KindLICENCE, contract.StatusAPPROVED, 28800, 0, 43, 12, contract.RenewalModeEXPRESS, 12, 0, 21},
	{"audit", "COMMON-COMPONENTS", "Accessibility audits", "TIDEWATER", "CC-2026-008", "", "", []string{"CHEFS", "GC-NOTIFY"},
		contract.KindSERVICES, contract.StatusUNDER_REVIEW, 58000, 0, 500, 18, contract.RenewalModeNONE, 0, 0, 30},
	{"ledger", "COMMON-COMPONENTS", "Payment ledger support", "OLD-HARBOUR", "CC-2019-017", "", "", []string{"DROP"},
		contract.KindSUPPORT, contract.StatusTERMINATED, 210000, 0, -140, 48, contract.RenewalModeNONE, 0, 0, 30},
	{"relay", "COMMON-COMPONENTS", "Mail relay maintenance", "OLD-HARBOUR", "CC-2021-073", "", "", []string{"DROP"},
		contract.KindSUPPORT, contract.StatusSUSPENDED, 18000, 0, 60, 60, contract.RenewalModeNONE, 0, 0, 30},
	{"devices", "COMMON-COMPONENTS", "Laptops, third order", "NORTHERN-CLOUD", "CC-2025-030", "", "", nil,
		contract.KindHARDWARE, contract.StatusAPPROVED, 54000, 54000, -20, 12, contract.RenewalModeNONE, 0, 0, 30},
	{"training", "COMMON-COMPONENTS", "Partner training, first term", "LARCH", "CC-2024-018", "", "", nil,
		contract.KindOTHER, contract.StatusRENEWED, 36000, 0, 250, 12, contract.RenewalModeEXPRESS, 12, 2, 30},
	{"maps", "LANDS-AND-WATERS", "Map tiles", "NORTHERN-CLOUD", "LW-2024-002", "", "", []string{"TENURES"},
		contract.KindCLOUD, contract.StatusAPPROVED, 66000, 0, 80, 24, contract.RenewalModeEXPRESS, 12, 1, 30},
	{"districts", "CIVIL-REGISTRATION", "District servers", "GWL", "CR-2025-001", "", "business hours", []string{"CRVS"},
		contract.KindHARDWARE, contract.StatusAPPROVED, 240000, 260000, 700, 36, contract.RenewalModeNONE, 0, 0, 60},
}

// contract makes the contracts, each with its present term.
func (w *world) contract(ctx context.Context, c *ent.Client) error {
	rows, err := c.Contract.MapCreateBulk(contracts, func(q *ent.ContractCreate, i int) {
		x := contracts[i]
		_, currency, _ := w.years(x.portfolio)
		end, start := w.today.AddDays(x.ends), w.start(x.ends, x.months)
		q.SetPortfolioID(id(w.portfolios, x.portfolio)).SetVendorID(id(w.vendors, x.vendor)).SetName(x.name).SetReference(x.reference).
			SetFrameworkReference(x.framework).SetKind(x.kind).SetStatus(x.status).SetValue(dollars(x.value)).SetCurrency(currency).
			SetStartOn(start).SetInitialMonths(x.months).SetEndOn(end).SetRenewalMode(x.renewal).SetNoticeMonths(x.notice).SetDecisionLeadDays(x.lead).
			SetSupportHours(x.hours).SetCustom(map[string]any{"green_clause": x.kind == contract.KindCLOUD})
		if x.ceiling > 0 {
			q.SetCeiling(dollars(x.ceiling))
		}
		if x.renewalMonths > 0 {
			q.SetRenewalMonths(x.renewalMonths)
		}
		for _, p := range x.products {
			q.AddProductIDs(id(w.products, p))
		}
	}).Save(ctx)
	if err != nil {
		return err
	}
	terms := make([]*ent.ContractTermCreate, 0, len(rows))
	for i, row := range rows {
		x := contracts[i]
		w.contracts[x.short] = row.ID
		terms = append(terms, c.ContractTerm.Create().SetContractID(row.ID).SetName("First term").SetFrom(w.start(x.ends, x.months)).
			SetUntil(w.today.AddDays(x.ends)).SetPrice(dollars(x.value)).SetCurrency(row.Currency))
	}
	w.made["Contract"] += len(rows)
	w.made["ContractTerm"] += len(terms)
	return c.ContractTerm.CreateBulk(terms...).Exec(ctx)
}

// start returns the first day of a term of months that ends so many days from today.
func (w *world) start(ends, months int) civil.Date {
	return w.today.AddDays(ends + 1).AddMonths(-months)
}

// procurements stand at every stage; since is how many days ago they got there.
var procurements = []struct {
	portfolio, product, name, description string
	method                                procurement.Method
	category                              procurement.Category
	status                                procurement.Status
	since                                 int
	estimate                              int64
	publish, award                        int // days from today
	requester, contract                   string
}{
	{"COMMON-COMPONENTS", "CHEFS", "Form analytics", "Which questions people leave unanswered.", procurement.MethodOPEN, procurement.CategorySERVICES, procurement.StatusPLANNED, 12, 90000, 40, 110, "otto.owner", ""},
	{"COMMON-COMPONENTS", "KEYCLOAK", "Second factor for partners", "Hardware keys and their roll-out.", procurement.MethodSELECTIVE, procurement.CategoryGOODS, procurement.StatusIN_PREPARATION, 9, 64000, 14, 80, "nadia", ""},
	{"COMMON-COMPONENTS", "", "Program manager for environment requests", "One point of contact between implementation teams and partners.", procurement.MethodOPEN, procurement.CategorySERVICES, procurement.StatusPUBLISHED, 17, 185000, -17, 45, "pia.portfolio", ""},
	{"COMMON-COMPONENTS", "DROP", "Ledger matching engine", "Rules for matching payments with orders.", procurement.MethodOPEN, procurement.CategorySERVICES, procurement.StatusEVALUATION, 23, 240000, -60, 20, "luc", ""},
	{"COMMON-COMPONENTS", "GC-NOTIFY", "Plain-language editing", "Templates that people understand.", procurement.MethodLIMITED, procurement.CategorySERVICES, procurement.StatusRECOMMENDED, 6, 38000, -70, 5, "wen", ""},
	{"COMMON-COMPONENTS", "CHEFS", "Accessible form widgets", "Widgets that pass with a screen reader.", procurement.MethodOPEN, procurement.CategorySERVICES, procurement.StatusSIGNED_OFF, 4, 145000, -95, 3, "otto.owner", ""},
	{"COMMON-COMPONENTS", "CSS", "Self-service portal redesign", "From six steps to three.", procurement.MethodSELECTIVE, procurement.CategorySERVICES, procurement.StatusAWARDED, 8, 110000, -120, -8, "nadia", ""},
	{"COMMON-COMPONENTS", "", "AP environment on-boarding", "Partner for the AP environment.", procurement.MethodOPEN, procurement.CategorySERVICES, procurement.StatusCONTRACTED, 160, 96000, -290, -170, "sam.service", "ap-onboarding"},
	{"COMMON-COMPONENTS", "DROP", "Mail relay replacement", "Overtaken by the hosted e-mail service.", procurement.MethodDIRECT, procurement.CategoryGOODS, procurement.StatusCANCELLED, 50, 22000, -90, -30, "luc", ""},
	{"COMMON-COMPONENTS", "SECONDMENT", "Matching pilot", "No bid met the privacy terms.", procurement.MethodLIMITED, procurement.CategorySERVICES, procurement.StatusUNSUCCESSFUL, 30, 48000, -100, -40, "otto.owner", ""},
	{"LANDS-AND-WATERS", "PERMITS", "Field tablets", "Tablets for inspectors.", procurement.MethodOPEN, procurement.CategoryGOODS, procurement.StatusEVALUATION, 15, 77000, -50, 25, "greta", ""},
	{"CIVIL-REGISTRATION", "CRVS", "Registrar training", "Two days in each district.", procurement.MethodOPEN, procurement.CategorySERVICES, procurement.StatusPUBLISHED, 10, 130000, -10, 60, "amara", ""},
}

// procurement makes one procurement at each stage and two for the other portfolios.
func (w *world) procurement(ctx context.Context, c *ent.Client) error {
	w.made["Procurement"] += len(procurements)
	return c.Procurement.MapCreateBulk(procurements, func(q *ent.ProcurementCreate, i int) {
		x := procurements[i]
		_, currency, _ := w.years(x.portfolio)
		q.SetPortfolioID(id(w.portfolios, x.portfolio)).SetNillableProductID(ref(w.products, x.product)).SetName(x.name).SetDescription(x.description).
			SetMethod(x.method).SetCategory(x.category).SetStatus(x.status).SetStatusSince(w.at(-x.since)).SetEstimate(dollars(x.estimate)).
			SetCurrency(currency).SetPublishPlannedOn(*w.day(x.publish)).SetAwardPlannedOn(*w.day(x.award)).
			SetRequesterID(id(w.people, x.requester)).SetOfficerID(w.people["paul.procurement"]).SetNillableContractID(ref(w.contracts, x.contract))
	}).Exec(ctx)
}
