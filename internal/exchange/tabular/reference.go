package tabular

import (
	"slices"
	"strings"

	"steward/internal/platform/entity"
)

// A record that another one points at is written by its title. Where that does not find
// exactly this record again, its key or id follows: "Forms (PRD-FORMS)".

// TitleColumns are where a reference by words is looked for, in this order.
func TitleColumns(e *entity.Entity) []string {
	out := []string{"id", "key", e.Title, "name_fr", "external_id"}
	return slices.DeleteFunc(out, func(name string) bool {
		f, ok := e.Field(name)
		return name != "id" && (!ok || f.Kind != "line" && f.Kind != "text" && f.Kind != "hidden")
	})
}

// Reference writes a record for a cell: by its title alone if that is its own.
func Reference(e *entity.Entity, title, id string, own bool) string {
	if _, named := referred(e, title); own && !named {
		return title
	}
	return title + " (" + id + ")"
}

// referred returns the key or id that a reference names beside the title.
func referred(e *entity.Entity, text string) (string, bool) {
	i := strings.LastIndex(text, " (")
	if i < 0 || !strings.HasSuffix(text, ")") {
		return text, false
	}
	id := text[i+2 : len(text)-1]
	if strings.ContainsAny(id, " ()") || !strings.HasPrefix(id, e.Prefix+"_") && (e.KeyPrefix == "" || !strings.HasPrefix(id, e.KeyPrefix+"-")) {
		return text, false
	}
	return id, true
}
