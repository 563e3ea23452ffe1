// Package dev holds the developers' own pages: every part of views/ui in all its
// states. Its sample texts are English in both languages, and its people and
// amounts are invented.
package dev

import (
	"net/url"
	"strings"
	"time"

	"steward/internal/platform/i18n"
	"steward/internal/rules/money"
	"steward/views/ui"
)

// s holds the words of the page.
var s = struct {
	views, search, late, actions, download, export, actionsNote, openDialog, archive, conflict         string
	states, statesNote, met, soon, needYou, rows, website, notALink, products, health, spend, forecast string
	owner, total, fields, name, value, valueHint, notice, noticeErr, vendor, effort, note              string
	notePlaceholder, capital, capitalHint, file, length, key, cancel, save, messages, facts, stages    string
	emptyTitle, progress, importing, importNote, loading, history, comments, colours, coloursNote      string
	icons, dialogTitle, dialogText, close, confirmTitle, confirmText, reason                           string
}{
	views: "Views", search: "Filter products", late: "Late only", actions: "Actions", download: "Download", export: "Export",
	actionsNote: "One primary action per page. Destructive actions never sit next to the primary one and always offer undo or a second step.",
	openDialog:  "Open a dialog", archive: "Archive contract", conflict: "Show a conflict",
	states: "States", statesNote: "Always word, icon and colour. Over plan is orange with an up arrow, under plan teal with a down arrow.",
	met: "Met", soon: "1 h left", needYou: "items need you", rows: "rows", website: "Vendor website", notALink: "Refused address",
	products: "Products", health: "Health", spend: "Spend against plan", forecast: "Year-end forecast", owner: "Owner", total: "Portfolio",
	fields: "Form fields", name: "Name", value: "Contract value", valueHint: "Taxes extra", notice: "Notice date",
	noticeErr: "That is after the contract ends. Use a day before 1 Feb 2027.", vendor: "Vendor", effort: "Effort", note: "Comment",
	notePlaceholder: "What changed and why", capital: "Capital", capitalHint: "Counts against the capital envelope", file: "Rows to import",
	length: "Length of a period", key: "Number", cancel: "Cancel", save: "Save", messages: "Messages", facts: "Facts", stages: "Stages",
	emptyTitle: "Nothing here yet", progress: "Long work shows progress", importing: "Importing actuals, period 7",
	importNote: "14 rows need a match. You can leave this page.", loading: "While it loads", history: "History", comments: "Comments",
	colours: "Colour tokens", coloursNote: "Text pairs are at least 4.5 to 1, marks and input borders at least 3 to 1, in light and dark.",
	icons: "Icons of things", dialogTitle: "Split the amount over twelve months", dialogText: "The total stays what it is; the last month takes the rest.",
	close: "Close", confirmTitle: "Archive CT-002031?", confirmText: "It leaves lists and totals, stays readable by its number, and can be restored.",
	reason: "Reason",
}

var (
	at   = time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC)
	list = ui.Query{Path: "/dev/components", Values: url.Values{"sort": {"name"}}}
	head = ui.Heading{
		Title: "Components and states", Icon: "layout-dashboard",
		Sub:     "Every part the pages use, in one place, as the pages render it.",
		Badges:  ui.Badge(ui.Info, "Period 8 open", ""),
		Actions: ui.Btn(ui.Button{Label: "New product", Icon: "plus", Kind: ui.Primary}),
	}
	seven = 7
	views = []ui.Tab{
		{Label: "Forecast", Href: "/dev/components?view=forecast", Current: true, Count: &seven},
		{Label: "Plan", Href: "/dev/components?view=plan"},
	}
	chips       = []ui.Chip{{Label: "FY 2026–27", Remove: "/dev/components"}, {Label: "Stage: pilot", Remove: "/dev/components"}}
	stage       = ui.Field{Name: "stage", Label: "Stage", Value: "PILOT", Blank: "Any", Options: []ui.Option{{Value: "PILOT", Label: "Pilot"}, {Value: "PRODUCTION", Label: "Production"}}}
	filterStage = ui.Field{Name: "stage", ID: "filter-stage", Label: "Stage", Blank: "Any", Options: stage.Options}
	lengths     = []ui.Option{{Value: "MONTH", Label: "Month"}, {Value: "QUARTER", Label: "Quarter"}, {Value: "YEAR", Label: "Year"}}
	figures     = []ui.Figure{
		{Label: "Spent to date", Value: "$1.51M", Of: "of $2.61M", Visual: ui.Bar(57.7, 100, 56.8, ui.Neutral, "57.7 percent spent, plan to date 56.8"), Foot: ui.Text("57.7 %, plan to date 56.8 %"), Href: "/dev/components"},
		{Label: "Year-end forecast", Value: "$2.71M", Visual: ui.Bar(100, 100, 96, "fcb", "Forecast above plan"), Foot: ui.Var(ui.Variance{Amount: 92000 * money.One, Currency: "CAD", Percent: "3.5 %"}), Href: "/dev/components"},
		{Label: "Committed, not invoiced", Value: "$412K", Visual: ui.Bar(38, 100, -1, "commit", "38 percent of commitments"), Foot: ui.Text("3 invoices wait for you")},
		{Label: "Contracts near renewal", Value: "4", Of: "of 12", Foot: ui.Dotted(ui.Warn, "28 days to the next notice date"), Href: "/dev/components"},
	}
	buttons = []ui.Button{
		{Label: "Cancel", Kind: ui.Ghost}, {Label: "Approve", Icon: "check", Kind: ui.Good},
		{Label: "Return", Kind: ui.Danger}, {Label: "Not allowed", Disabled: true, Why: "The plan is closed"}, {Label: "Small", Small: true},
	}
	menu = ui.MenuProps{ID: "sample-menu", Label: "More", Icon: "ellipsis", Items: []ui.MenuItem{
		{Label: "Copy address", Icon: "link", Href: "/dev/components"},
		{Label: "Watch", Icon: "bell", Post: "/dev/components"},
		{Label: "Archive contract", Icon: "archive", Opens: "sample-confirm", Danger: true, Rule: true},
	}}
	badges = []struct {
		tone       ui.Tone
		text, icon string
	}{
		{ui.OK, "On track", "circle-check"}, {ui.Warn, "At risk", "triangle-alert"}, {ui.Bad, "Off track", "octagon-alert"},
		{ui.Neutral, "Not started", "circle-dashed"}, {ui.Info, "Period 8 open", ""}, {ui.Violet, "Capital", ""},
	}
	variances = []ui.Variance{
		{Amount: 36500 * money.One, Currency: "CAD", Percent: "15.6 %"}, {Amount: -5200 * money.One, Currency: "CAD", Percent: "3.4 %"},
		{Amount: 120 * money.One, Currency: "CAD", Flat: 500 * money.One},
	}
	people  = []ui.Initial{{ID: "per_1", Name: "Amara Singh"}, {ID: "per_2", Name: "Luc Tremblay"}, {ID: "per_3", Name: "Mei Chen"}}
	columns = []ui.Column{{Label: s.name, Key: "name"}, {Label: s.health}, {Label: s.spend, Key: "spend"}, {Label: s.forecast, Key: "forecast", Num: true}, {Label: s.owner}}
	// products of the table
	products = []struct {
		id, name, team, health, icon string
		tone                         ui.Tone
		spent, plan                  float64
		spend, forecast, owner       string
	}{
		{"1", "DROP", "Payments", "Off track", "octagon-alert", ui.Bad, 118, 234, "$118K of $234K", "$271,000.00", "Mei Chen"},
		{"2", "Pathfinder SSO", "Pathfinder", "At risk", "triangle-alert", ui.Warn, 651, 1110, "$651K of $1.11M", "$1,142,000.00", "Luc Tremblay"},
		{"3", "CHEFS", "Forminators", "On track", "circle-check", ui.OK, 416, 679, "$416K of $679K", "", ""},
	}
	problems = []i18n.FieldError{{Path: "notice", Text: s.noticeErr}}
	notices  = []ui.Notice{
		{Tone: ui.Warn, Title: "Leave 3 weeks between award and the notice date", Text: "Say what happens, by when, and offer the next step.", Actions: ui.BtnLink(ui.Button{Label: "Open CT-2031", Small: true, Href: "/dev/components"})},
		{Tone: ui.Bad, Title: "Not saved: you are offline", Text: "3 changes wait on this page and are sent when you are back."},
		{Tone: ui.Info, Title: "Luc Tremblay is editing this plan", Text: "You can read it; editing opens when he is done."},
		{Tone: ui.OK, Title: "All 1,240 rows can be imported"},
	}
	facts = []ui.Fact{{Label: "Vendor", Value: "OptIT"}, {Label: "Ends", Value: "31 Mar 2027"}, {Label: "State", Content: ui.Badge(ui.OK, "Active", "circle-check")}, {Label: "Framework"}}
	steps = []ui.Step{{Label: "Preparation", Sub: "12 days", State: ui.StepDone}, {Label: "Published", Sub: "30 days", State: ui.StepDone}, {Label: "Evaluation", Sub: "since 2 Nov", State: ui.StepNow}, {Label: "Award", Sub: "due 18 Dec"}}
	blank = ui.Blank{Icon: "file-pen-line", Title: "No contracts for Grants Bundle", Text: "Contracts appear when a procurement reaches its last stage, or when you import them.",
		Actions: ui.Group(ui.Btn(ui.Button{Label: "Add a contract", Small: true}), ui.Btn(ui.Button{Label: "Import a file", Small: true}))}
	changes = []ui.Change{
		{ID: "1", WhoID: "per_3", Who: "Mei Chen", What: "changed the forecast of MacroSkies remediation", When: "12 min ago", At: at, Undo: "/dev/components", Reason: "Second wave of fixes",
			Fields: []ui.FieldChange{{Field: "December", Before: "$12,000.00", After: "$16,000.00"}, {Field: "January", Before: "", After: "$4,000.00"}}},
		{ID: "2", Who: "", What: "posted 14 actuals to period 7", When: "yesterday", At: at.AddDate(0, 0, -1), Via: "import", UndoneBy: "Undone by Noor Haddad, 3 h ago"},
	}
	remarks = []ui.Remark{
		{ID: "1", WhoID: "per_2", Who: "Luc Tremblay", Text: "The option must be exercised by 18 December.\nFinance knows.", When: "3 h ago", At: at, Edited: true},
		{ID: "2", WhoID: "per_1", Who: "Amara Singh", Text: "Business case is attached to the procurement.", When: "1 h ago", At: at, Edit: "/dev/components"},
	}
	clash = ui.ConflictProps{ID: "sample-conflict", By: "Amara Singh", At: "20 Nov 2026, 10:41", Action: "/dev/components", Reload: "/dev/components",
		Mine: [][2]string{{"version", "4"}, {"value", "17000"}}, Rows: []ui.ConflictRow{{Field: "December", Before: "$16,000.00", Theirs: "$19,500.00", Mine: "$17,000.00"}}}
	colours = [][2]string{{"accent", "one action, selection, focus"}, {"ok", "met, done"}, {"warn", "soon, at risk"}, {"bad", "late, off track"}, {"vio", "capital, commitments"},
		{"act", "data: actual"}, {"fc", "data: forecast"}, {"plan", "data: plan"}, {"over", "data: over plan"}, {"under", "data: under plan"}}
	entities = []string{"Portfolio", "Product", "Component", "Capability", "Dependency", "Team", "Person", "Organization", "Vendor", "Contract", "Procurement",
		"BudgetPlan", "BudgetLine", "FiscalPeriod", "Initiative", "Objective", "KeyResult", "CheckIn", "Cycle", "Environment", "ClientAccount", "Tag", "CustomField", "ImportBatch", "Integration"}
)

// Vendors answers the sample Combo: the options whose name contains q.
func Vendors(q string) []ui.ComboOption {
	var out []ui.ComboOption
	for _, v := range []string{"OptIT", "GWL", "MacroSkies"} {
		if strings.Contains(strings.ToLower(v), strings.ToLower(q)) {
			out = append(out, ui.ComboOption{Value: v, Label: v, Sub: "VN-" + v[:2]})
		}
	}
	return out
}
