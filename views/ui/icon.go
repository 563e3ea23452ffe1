package ui

import (
	"bytes"
	"sync"
	"testing"

	"steward/internal/platform/assets"
)

var sprite = sync.OnceValue(func() []byte { return assets.Bytes("icons.svg") })

// mustHave panics under "go test" for an icon that the sprite lacks; a reader
// would only see a gap.
func mustHave(name string) string {
	if testing.Testing() && !bytes.Contains(sprite(), []byte(`<symbol id="`+name+`"`)) {
		panic("ui: the sprite has no icon " + name + "; run make assets")
	}
	return name
}

func firstTone(tone []Tone) string {
	if len(tone) == 0 {
		return ""
	}
	return string(tone[0])
}

// EntityIcon returns the icon of an entity type ("Product" -> "package"); types
// without one of their own share "file-text". Navigation, search results and
// empty lists use the same icon for the same thing.
func EntityIcon(entity string) string {
	if i, ok := entityIcons[entity]; ok {
		return i
	}
	return "file-text"
}

var entityIcons = map[string]string{
	"Organization":  "building-2",
	"Portfolio":     "layout-dashboard",
	"Product":       "package",
	"Component":     "puzzle",
	"Capability":    "sparkles",
	"Dependency":    "waypoints",
	"Team":          "users",
	"Person":        "user",
	"Integration":   "plug",
	"ApiToken":      "key-round",
	"Vendor":        "handshake",
	"VendorContact": "contact",
	"Contract":      "file-pen-line",
	"ContractTerm":  "calendar",
	"FiscalPeriod":  "calendar-range",
	"BudgetPlan":    "table-properties",
	"BudgetLine":    "list-ordered",
	"Initiative":    "milestone",
	"Procurement":   "gavel",
	"Cycle":         "refresh-cw",
	"Objective":     "target",
	"KeyResult":     "trending-up",
	"CheckIn":       "circle-check",
	"Environment":   "server",
	"ClientAccount": "briefcase",
	"Comment":       "message-square",
	"Tag":           "tag",
	"CustomField":   "columns-3",
	"ImportBatch":   "file-input",
	"ChangeEvent":   "history",
}
