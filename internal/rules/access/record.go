package access

import (
	"slices"
	"strings"

	"steward/internal/rules/viewer"
)

// ForRecord returns the rows of entity that the viewer may touch with the letter
// among those that hang on a record of the type record: the comments on
// contracts, the audit of budget lines. The reach is compared with the scope
// columns that the row copied from its record. Comments are read and written by
// whoever reads the record; audit rows are read by the roles the matrix names
// and written by nobody but the guards. An entity that hangs on nothing and an
// unknown record give nothing; a record that itself hangs on one gives what For does.
func ForRecord(v *viewer.Viewer, entity, record string, l Letter) Reach {
	e, ok := Entities[entity]
	rec, known := Entities[record]
	if !ok || e.Class != ClassRecord || !known {
		return Reach{}
	}
	own := For(v, entity, l)
	if own.All || rec.Class == ClassRecord || Bounded(v) && !e.open(l) {
		return own
	}
	return own.union(narrowed(v, record, Read, func(role Role) bool { return asRecord(role, e.Resource, l) }))
}

// RecordReach is the part of a ClassRecord entity that hangs on one type.
type RecordReach struct {
	Record string
	Reach  Reach
}

// ByRecord returns ForRecord for each type of record where it is not empty, in
// alphabetical order: the terms of one "or" over the column that names the type.
func ByRecord(v *viewer.Viewer, entity string, l Letter) []RecordReach {
	var list []RecordReach
	for _, name := range Names() {
		if r := ForRecord(v, entity, name, l); Entities[name].Class != ClassRecord && !r.Empty() {
			list = append(list, RecordReach{name, r})
		}
	}
	return list
}

// ForExport returns the rows of an entity that the viewer may take out as a
// file: those they read through a role that exports at all.
func ForExport(v *viewer.Viewer, entity string) Reach {
	return narrowed(v, entity, Read, func(role Role) bool { return asRecord(role, ResourceExport, Read) })
}

// asRecord reports whether the role has the letter on the resource wherever it
// reads the record.
func asRecord(role Role, res Resource, l Letter) bool {
	return slices.ContainsFunc(Grants(role, res), func(g Grant) bool { return g.Kind == AsRecord && g.Allows(l) })
}

// contractPrice are the roles that see what a contract costs; a contributor
// reads the contract without its price.
var contractPrice = []Role{
	RoleProductOwner, RolePortfolioManager, RoleFinanceOfficer, RoleProcurementOfficer, RoleExpenseAuthority,
	RoleVendorManager, RoleServiceManager, RolePartner, RoleExecutive, RoleAuditor,
}

// ProtectedFields names the fields that not everybody who reads the row may see,
// as "Entity.column", with the roles that may. Everything derived from such a
// field (totals, diffs, sort keys, filters) is protected as it is. Do not change it.
var ProtectedFields = map[string][]Role{
	"Contract.value":     contractPrice,
	"Contract.ceiling":   contractPrice,
	"ContractTerm.price": contractPrice,
}

// ForField returns the rows in which the viewer may see the field: For with
// Read, and for a protected field only through the roles that may see it. The
// values of custom fields, "custom" or "custom.code", are for those who may read
// what the fields mean.
func ForField(v *viewer.Viewer, entity, field string) Reach {
	if (field == "custom" || strings.HasPrefix(field, "custom.")) && !May(v, "CustomField", Read) {
		return Reach{}
	}
	roles, protected := ProtectedFields[entity+"."+field]
	return narrowed(v, entity, Read, func(role Role) bool { return !protected || slices.Contains(roles, role) })
}

// FieldHidden reports whether the field must be left out for this viewer: when
// they read nothing of the entity, or when there may be one readable row in which
// they may not see the field. So a filter or a sort by a field that is not hidden
// tells nothing. A detail page that wants to show the field row by row to people
// of mixed roles asks ForField instead.
func FieldHidden(v *viewer.Viewer, entity, field string) bool {
	seen := ForField(v, entity, field)
	return seen.Empty() || !seen.covers(For(v, entity, Read))
}
