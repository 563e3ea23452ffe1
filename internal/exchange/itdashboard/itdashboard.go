// Package itdashboard reads the two files that the United States' IT Dashboard
// publishes: the projects of its investments (itdashboard-projects) and their
// contracts (itdashboard-contracts). An agency is a portfolio, an investment a
// product. Money is in millions of dollars unless --set unit says otherwise.
//
// internal/app lists the formats; nothing else needs this package.
package itdashboard

import (
	"fmt"

	"steward/internal/exchange/importer"
)

// source owns the ids of both files, so that contracts find the products that
// the projects brought, and the other way round.
const source = "itdashboard"

// agencyDefaults are what the files leave unsaid about an agency: a fiscal year
// from October, and dollars.
var agencyDefaults = importer.Values{
	"fiscal_year_start_month": 10, "default_currency": "USD", "time_zone": "America/New_York",
}

var (
	agency     = &importer.Kind{Entity: "Portfolio", OnCreate: agencyDefaults}
	investment = &importer.Kind{Entity: "Product", OnCreate: importer.Values{"stage": "UNKNOWN"}}
	project    = &importer.Kind{Entity: "Initiative"}

	// The contracts file mentions agencies and investments by titles of its own
	// (cut or spelled another way); it adds the missing ones and renames none.
	mentionedAgency     = &importer.Kind{Entity: "Portfolio", OnCreate: agencyDefaults, CreateOnly: true}
	mentionedInvestment = &importer.Kind{Entity: "Product", OnCreate: importer.Values{"stage": "UNKNOWN"}, CreateOnly: true}
	vendor              = &importer.Kind{Entity: "Vendor", CreateOnly: true, ByName: true}
	contract            = &importer.Kind{Entity: "Contract", OnCreate: importer.Values{"kind": "OTHER", "status": "APPROVED"}}
)

// settings are what both formats let people set.
type settings struct {
	currency  string
	unit      int64
	portfolio string
}

var units = map[string]int64{"1": 1, "units": 1, "thousands": 1_000, "millions": 1_000_000}

func configure(o importer.Options) (settings, error) {
	if err := o.Allow("currency", "unit"); err != nil {
		return settings{}, err
	}
	s := settings{currency: o.Setting("currency", "USD"), portfolio: o.Portfolio}
	if !importer.IsCurrency(s.currency) {
		return s, fmt.Errorf("importer: no currency %q", s.currency)
	}
	var ok bool
	if s.unit, ok = units[o.Setting("unit", "millions")]; !ok {
		return s, fmt.Errorf("importer: unit is units, thousands or millions, not %q", o.Set["unit"])
	}
	return s, nil
}

// place stages a row's agency and investment and returns references to both.
func (s settings) place(r *importer.Row, portfolio, product *importer.Kind) (importer.Ref, importer.Ref) {
	in := importer.Chosen(s.portfolio)
	if s.portfolio == "" {
		in = r.Mention(portfolio, r.Must("agency"), importer.Values{"name": r.Must("agencyName")})
	}
	return in, r.Mention(product, r.Must("investment"), importer.Values{
		"portfolio_id": in, "name": r.Must("investmentTitle"),
	})
}

var placeColumns = []importer.Column{
	importer.Need("investment", "Unique Investment Identifier", "UII", "Unique Investment ID"),
	importer.Need("investmentTitle", "Investment Title"),
	importer.Need("agency", "Agency Code"),
	importer.Need("agencyName", "Agency Name"),
}
