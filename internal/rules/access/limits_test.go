package access_test

import (
	"slices"
	"testing"

	"steward/internal/rules/access"
	"steward/internal/rules/viewer"
)

func TestPartnerIsStrict(t *testing.T) {
	for _, role := range access.Roles {
		for _, res := range access.Resources() {
			for _, g := range access.Grants(role, res) {
				if role == access.RolePartner && g.Kind != access.OfVendor && g.Kind != access.AsRecord {
					t.Errorf("partner has %v on %s", g, res)
				}
				if role != access.RolePartner && g.Kind == access.OfVendor {
					t.Errorf("%s has %v on %s: V is the partner's", role, g, res)
				}
			}
		}
	}
	// Wherever else a partner is a member, only the vendor counts, and only as partner.
	v := as(access.RolePartner, all(viewer.LevelManager), portfolio(viewer.LevelManager), product(viewer.LevelOwner), vendor(viewer.LevelPartner))
	own := []string{"Contract", "ContractTerm", "Environment", "Person", "Vendor", "VendorContact"}
	for _, name := range access.Names() {
		r := access.For(v, name, access.Read)
		if name == "Session" || name == "ApiToken" {
			continue
		}
		if want := slices.Contains(own, name); want && (spell(r) != "V" || !r.Includes(access.Row{Vendor: ownVendor}) || r.Includes(access.Row{Vendor: "vnd_other", Portfolio: ownPortfolio})) || !want && !r.Empty() {
			t.Errorf("partner reads %s: %+v", name, r)
		}
		if access.May(v, name, access.Write) {
			t.Errorf("partner writes %s", name)
		}
	}
	if r := access.For(as(access.RolePartner, vendor(viewer.LevelManager)), "Vendor", access.Read); !r.Empty() {
		t.Errorf("a vendor membership that is not a partner's gave %+v", r)
	}
	if r := access.ForRecord(v, "Comment", "Contract", access.Write); spell(r) != "V" {
		t.Errorf("a partner comments on own contracts, got %+v", r)
	}
	if !access.ForRecord(v, "Comment", "BudgetLine", access.Read).Empty() {
		t.Error("a partner sees comments on budgets")
	}
}

func TestTokens(t *testing.T) {
	for _, kind := range []viewer.Kind{viewer.Person, viewer.Integration} {
		v := person(access.Roles, all(viewer.LevelManager), product(viewer.LevelOwner), vendor(viewer.LevelPartner))
		v.Kind, v.TokenID = kind, "tok_1"
		for _, name := range access.Names() {
			e := access.Entities[name]
			for _, l := range access.Letters {
				owned := e.Class == access.ClassOwn || e.Class == access.ClassSystem
				if (l == access.Approve || l == access.Execute || l == access.Manage || owned && l != access.Read) && access.May(v, name, l) {
					t.Errorf("a token of %s has %s on %s", kind, l, name)
				}
			}
		}
		v.Memberships = nil
		for _, name := range access.Names() {
			if r := access.For(v, name, access.Read); !r.Empty() && name != "UndoEntry" {
				t.Errorf("a token of %s with roles but no scope reads %s: %+v", kind, name, r)
			}
		}
	}
	auditor := as(access.RoleAuditor, portfolio(access.LevelBound))
	auditor.TokenID = "tok_1"
	if r := access.For(auditor, "BudgetLine", access.Read); spell(r) != "P" {
		t.Errorf("the token of an auditor, limited to a portfolio: %+v", r)
	}
	if r := access.For(auditor, "ChangeEvent", access.Read); spell(r) != "P" {
		t.Errorf("its audit: %+v", r)
	}
	bot := as(access.RoleContributor, portfolio(viewer.LevelContributor))
	bot.Kind = viewer.Integration
	if r := access.For(bot, "Product", access.Write); spell(r) != "P" {
		t.Errorf("an integration's scope is its portfolio: %+v", r)
	}
	if r := access.For(bot, "Product", access.Submit); !r.Empty() {
		t.Errorf("its level still counts: %+v", r)
	}
}

func TestFields(t *testing.T) {
	hidden := func(v *viewer.Viewer, entity, field string) bool { return access.FieldHidden(v, entity, field) }
	contributor := as(access.RoleContributor, product(viewer.LevelContributor))
	if !hidden(contributor, "Contract", "value") || !hidden(contributor, "Contract", "ceiling") || !hidden(contributor, "ContractTerm", "price") {
		t.Error("a contributor sees prices")
	}
	if hidden(contributor, "Contract", "name") {
		t.Error("a contributor does not see the name of a contract")
	}
	if hidden(as(access.RoleProductOwner, product(viewer.LevelOwner)), "Contract", "value") {
		t.Error("an owner does not see prices")
	}
	partner := as(access.RolePartner, vendor(viewer.LevelPartner))
	if hidden(partner, "Contract", "value") || !hidden(partner, "BudgetCell", "planned") {
		t.Error("a partner sees own prices and no budget")
	}
	if !hidden(partner, "Contract", "custom") || !hidden(partner, "Contract", "custom.margin") || hidden(contributor, "Contract", "custom") {
		t.Error("fields of the house are for those who may read what they mean")
	}
	// Prices of one role do not leak into rows read through another.
	both := person([]access.Role{access.RoleContributor, access.RolePartner}, product(viewer.LevelContributor), vendor(viewer.LevelPartner))
	if !hidden(both, "Contract", "value") || spell(access.ForField(both, "Contract", "value")) != "V" || spell(access.For(both, "Contract", access.Read)) != "TV" {
		t.Errorf("mixed roles: %+v", access.ForField(both, "Contract", "value"))
	}
}

func TestRecords(t *testing.T) {
	owner := as(access.RoleProductOwner, product(viewer.LevelOwner))
	if r := access.ForRecord(owner, "Comment", "BudgetLine", access.Write); spell(r) != "T" {
		t.Errorf("comments on own budget lines: %+v", r)
	}
	if !access.For(owner, "Comment", access.Read).Empty() {
		t.Error("comments are read whatever they hang on")
	}
	if r := access.ForRecord(as(access.RoleAppAdmin), "ChangeEvent", "BudgetLine", access.Read); !r.All {
		t.Error("an administrator reads the whole audit")
	}
	for _, v := range []*viewer.Viewer{owner, full(access.RoleAuditor), full(access.RoleAppAdmin)} {
		if len(access.ByRecord(v, "ChangeEvent", access.Write)) != 0 {
			t.Error("somebody writes the audit")
		}
	}
	list := access.ByRecord(owner, "ChangeEvent", access.Read)
	if !slices.ContainsFunc(list, func(r access.RecordReach) bool { return r.Record == "BudgetPlan" && spell(r.Reach) == "T" }) ||
		slices.ContainsFunc(list, func(r access.RecordReach) bool { return r.Record == "RoleGrant" || r.Record == "Comment" }) {
		t.Errorf("the owner's audit: %+v", list)
	}
	if !access.ForRecord(owner, "Contract", "Vendor", access.Read).Empty() {
		t.Error("a contract hangs on nothing")
	}
	if !access.ForExport(as(access.RoleEngineer, product(viewer.LevelOwner)), "Product").Empty() {
		t.Error("an engineer exports")
	}
}
