// Package event is the catalogue of what the record of changes tells besides rows
// that changed: sign-ins, refusals, files that left the house (security.md, AU-2).
// Each has a name that programs can search for and a sentence for people.
//
// The doors, the sign-in and the areas write events; refusals go through a Recorder,
// which keeps an attacker from filling the disk with them.
package event

import (
	"steward/ent"
	"steward/internal/platform/store"
)

// Name is what an event is called in the record of changes.
type Name string

// Event is one line of the catalogue. Its sentence is the message "event.<name>".
type Event struct {
	Name   Name
	Entity string   // type of the audit row; empty for any
	Op     store.Op // how the row is written: as an event of its own, or as the change it is
}

// The events that no row's change tells.
const (
	SignedIn           Name = "signed-in"
	SignInRefused      Name = "sign-in-refused"
	CredentialsRefused Name = "credentials-refused"
	SessionEnded       Name = "session-ended"
	Refused            Name = "refused"
	Exported           Name = "exported"
	AuditExported      Name = "audit-exported"
	PersonExported     Name = "person-exported"
	PersonErased       Name = "person-erased"
	Purged             Name = "purged"
	SettingChanged     Name = "setting-changed"
)

// Catalogue lists every event. Do not change it.
var Catalogue = []Event{
	{SignedIn, "Session", store.OpEvent},
	{SignInRefused, "Session", store.OpEvent},
	{CredentialsRefused, "Session", store.OpEvent},
	{SessionEnded, "Session", store.OpEvent},
	{Refused, "Session", store.OpEvent},
	{Exported, "", store.OpEvent},
	{AuditExported, "ChangeEvent", store.OpEvent},
	{PersonExported, "Person", store.OpEvent},
	{PersonErased, "Person", store.OpEvent},
	{Purged, "Setting", store.OpEvent},
	{SettingChanged, "Setting", store.OpEvent},
	{"role-granted", "RoleGrant", store.OpCreate},
	{"role-confirmed", "RoleGrant", store.OpUpdate},
	{"role-revoked", "RoleGrant", store.OpArchive},
	{"member-added", "Membership", store.OpCreate},
	{"member-removed", "Membership", store.OpArchive},
	{"token-made", "ApiToken", store.OpCreate},
	{"token-revoked", "ApiToken", store.OpUpdate},
}

// key is where an event's name stands in the audit row.
const key = "event"

// Change makes the audit row of an event about a record; about holds what else there
// is to say. The caller hands it to store.Note.
func Change(name Name, x store.Change, about map[string]any) store.Change {
	x.Op, x.Diff = store.OpEvent, map[string][2]any{key: {nil, string(name)}}
	for k, v := range about {
		x.Diff[k] = [2]any{nil, v}
	}
	return x
}

// Of returns the name of what an audit row tells, empty for an ordinary change.
func Of(x *ent.ChangeEvent) Name {
	if store.Op(x.Op) == store.OpEvent {
		name, _ := x.Diff[key][1].(string)
		return Name(name)
	}
	for _, e := range Catalogue {
		if e.Entity == x.EntityType && e.Op == store.Op(x.Op) {
			return e.Name
		}
	}
	return ""
}
