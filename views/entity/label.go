// Package entity holds the generic pages: the list, the record, its form, the
// cell that is edited where it stands, the history and the comments of any
// registry entity, drawn from its descriptor. It gets rows that were read and
// narrowed already and never asks for data.
//
// The page door (internal/web) uses it; pages of one kind of record may use its
// labels and values.
package entity

import (
	"strings"

	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/flow"
	"steward/views/ui"
)

// Name returns what n records of a type are called: "Contract", "Contracts". It
// is a heading, so the number itself is not in it.
func Name(lang string, e *entity.Entity, n int) string {
	return i18n.T(lang, "entity."+e.Name, "n", n)
}

// Label returns what a field is called on an entity's pages.
func Label(lang string, e *entity.Entity, f *entity.Field) string {
	if key := "field." + e.Name + "." + f.Name; i18n.Has(lang, key) {
		return i18n.T(lang, key)
	}
	return i18n.T(lang, "field."+f.Name)
}

// EdgeLabel returns what the records at the other end of an edge are called.
func EdgeLabel(lang string, e *entity.Entity, x entity.Edge) string {
	if key := "edge." + e.Name + "." + x.Name; i18n.Has(lang, key) {
		return i18n.T(lang, key)
	}
	if key := "edge." + x.Name; i18n.Has(lang, key) {
		return i18n.T(lang, key)
	}
	return Name(lang, entity.ByName(x.To), 2)
}

// Help returns the sentence that explains a field in forms, or "".
func Help(lang string, e *entity.Entity, f *entity.Field) string {
	for _, key := range []string{"help." + e.Name + "." + f.Name, "help." + f.Name} {
		if i18n.Has(lang, key) {
			return i18n.T(lang, key)
		}
	}
	return ""
}

// OptionKey returns the message id of an enum's value: the state of a machine,
// or the words of that field, or the words shared by all fields.
func OptionKey(e *entity.Entity, f *entity.Field, value string) string {
	if m, ok := flow.Named(e.Machine); ok && isState(f) {
		return m.StateKey(value)
	}
	if key := "enum." + e.Name + "." + f.Name + "." + value; i18n.Has(i18n.English, key) {
		return key
	}
	return "enum." + value
}

// Option returns an enum's value in words.
func Option(lang string, e *entity.Entity, f *entity.Field, value string) string {
	if key := OptionKey(e, f, value); i18n.Has(lang, key) {
		return i18n.T(lang, key)
	}
	return value
}

// StateField returns the field that the entity's machine owns, or nil.
func StateField(e *entity.Entity) *entity.Field {
	if e.Machine == "" {
		return nil
	}
	for _, name := range []string{"stage", "status"} {
		if f, ok := e.Field(name); ok && f.Kind == "enum" {
			return f
		}
	}
	return nil
}

func isState(f *entity.Field) bool { return f.Name == "status" || f.Name == "stage" }

// tones are the colours of values that mean something good or bad; the words
// stand beside them always.
var tones = map[ui.Tone]string{
	ui.OK:     "APPROVED ACTIVE PRODUCTION ENTERPRISE CONTRACTED AWARDED SIGNED_OFF GRADED OPEN INVEST GREEN LOW",
	ui.Info:   "SUBMITTED UNDER_REVIEW PUBLISHED EVALUATION RECOMMENDED SCREENED RANKED SCHEDULED PILOT SHORTLISTED IN_PREPARATION BLUE",
	ui.Warn:   "RETURNED EXPIRING SUSPENDED RETIRING DEPRECATED PARKED MEDIUM ORANGE MIGRATE",
	ui.Bad:    "EXPIRED TERMINATED DECLINED CANCELLED UNSUCCESSFUL HIGH MISSION RED ELIMINATE",
	ui.Violet: "CAPITAL VIOLET",
}

// ToneOf returns the tone of an enum's value.
func ToneOf(value string) ui.Tone {
	for tone, values := range tones {
		if strings.Contains(" "+values+" ", " "+value+" ") {
			return tone
		}
	}
	return ui.Neutral
}
