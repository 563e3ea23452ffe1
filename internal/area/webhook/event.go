package webhook

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// The types that are not about one record.
const (
	Ping    = "steward.ping.v1"
	Changes = "steward.changes.v1" // more records in one change than are told one by one
)

// single is how many records of one change are told one by one.
const single = 100

// told is what each kind of change is called in an event type.
var told = map[changeevent.Op]string{
	changeevent.OpCREATE: "created", changeevent.OpUPDATE: "updated", changeevent.OpLINK: "updated",
	changeevent.OpARCHIVE: "archived", changeevent.OpRESTORE: "restored", changeevent.OpDELETE: "deleted",
}

// Type is one line of the catalogue of events.
type Type struct {
	Name   string // such as steward.contract.updated.v1
	Entity string // of what it is about, empty for Ping and Changes
}

// Types is the catalogue: each entity that has pages and GraphQL, with each kind of change.
func Types() []Type {
	out := []Type{{Changes, ""}}
	for _, e := range entity.Registry() {
		for _, verb := range []string{"created", "updated", "archived", "restored", "deleted"} {
			if e.Archivable || verb != "archived" && verb != "restored" {
				out = append(out, Type{typeOf(e.Name, verb), e.Name})
			}
		}
	}
	return out
}

func typeOf(name, verb string) string {
	return "steward." + string(unicode.ToLower(rune(name[0]))) + name[1:] + "." + verb + ".v1"
}

// matches reports whether a type fits a pattern, in which * stands for any text.
func matches(pattern, name string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	for name = name[len(head):]; ; name = name[1:] {
		if matches(rest, name) {
			return true
		}
		if name == "" {
			return false
		}
	}
}

// wants reports whether a webhook hears of a type.
func wants(w *ent.Webhook, name string) bool {
	return len(w.Types) == 0 || slices.ContainsFunc(w.Types, func(p string) bool { return matches(p, name) })
}

// message is what one delivery will tell.
type message struct {
	Type    string
	Subject ident.ID
	Entity  string
	op      changeevent.Op
	place   access.Row
}

// messagesOf returns what a webhook is told of a change set: a message for each record or, where there
// are very many, one for all of them. Whether the webhook may hear them is asked with visible.
func messagesOf(ctx context.Context, c *ent.Client, w *ent.Webhook, set string) ([]message, error) {
	names := wanted(w)
	rows, err := c.ChangeEvent.Query().Where(changeevent.ChangeSet(set), changeevent.OpNEQ(changeevent.OpEVENT), changeevent.EntityTypeIn(names...)).
		Order(changeevent.ByID()).Limit(4*single + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	var out []message
	at := map[ident.ID]int{}
	for _, row := range rows {
		i, known := at[row.EntityID]
		if !known {
			i = len(out)
			at[row.EntityID] = i
			out = append(out, message{Subject: row.EntityID, Entity: row.EntityType, op: row.Op})
		}
		out[i].op = after(out[i].op, row.Op)
		out[i].Type, out[i].place = typeOf(row.EntityType, told[out[i].op]), placeOf(row)
	}
	if len(out) > single || len(rows) > 4*single {
		return []message{{Type: Changes, Subject: ident.ID(set)}}, nil
	}
	return slices.DeleteFunc(out, func(m message) bool { return !wants(w, m.Type) }), nil
}

// wanted are the entities of which a webhook hears anything.
func wanted(w *ent.Webhook) []string {
	var out []string
	for _, t := range Types() {
		if t.Entity != "" && (wants(w, t.Name) || wants(w, Changes)) && !slices.Contains(out, t.Entity) {
			out = append(out, t.Entity)
		}
	}
	return out
}

// after is what two changes of a record in one change set come to.
func after(first, then changeevent.Op) changeevent.Op {
	if first == changeevent.OpCREATE && then != changeevent.OpDELETE {
		return first
	}
	return then
}

func placeOf(row *ent.ChangeEvent) access.Row {
	p := access.Row{ID: row.EntityID}
	for of, id := range map[*ident.ID]*ident.ID{&p.Portfolio: row.PortfolioID, &p.Product: row.ProductID, &p.Vendor: row.VendorID} {
		if id != nil {
			*of = *id
		}
	}
	return p
}

// visible reports whether any of the viewers may see the record of a message now. One that is no more is
// seen by those who would have seen it where it was.
func visible(ctx context.Context, c *ent.Client, rights []*viewer.Viewer, m message) (bool, error) {
	e := entity.ByName(m.Entity)
	if e == nil || !e.Registry {
		return false, nil
	}
	for _, v := range rights {
		if m.op == changeevent.OpDELETE {
			if access.For(v, m.Entity, access.Read).Includes(m.place) {
				return true, nil
			}
			continue
		}
		n, err := e.Count(as(ctx, v), c, func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C("id"), m.Subject)) })
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// counts returns how many records of a change set the viewers see, by kind of change: "Contract.updated".
func counts(ctx context.Context, c *ent.Client, w *ent.Webhook, rights []*viewer.Viewer, set string) (map[string]int, error) {
	out := map[string]int{}
	names, err := c.ChangeEvent.Query().Where(changeevent.ChangeSet(set), changeevent.EntityTypeIn(wanted(w)...)).Unique(true).
		Select(changeevent.FieldEntityType).Strings(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		e := entity.ByName(name)
		for _, op := range []changeevent.Op{changeevent.OpCREATE, changeevent.OpUPDATE, changeevent.OpARCHIVE, changeevent.OpRESTORE} {
			for _, v := range rights {
				n, err := e.Count(as(ctx, v), c, func(sel *sql.Selector) {
					t := sql.Dialect(sel.Dialect()).Table(changeevent.Table).As("changed")
					sel.Where(sql.In(sel.C("id"), sql.Dialect(sel.Dialect()).Select(t.C(changeevent.FieldEntityID)).From(t).
						Where(sql.And(sql.EQ(t.C(changeevent.FieldChangeSet), set), sql.EQ(t.C(changeevent.FieldEntityType), name), sql.EQ(t.C(changeevent.FieldOp), string(op))))))
				})
				if err != nil {
					return nil, err
				}
				if key := name + "." + told[op]; n > out[key] {
					out[key] = n
				}
			}
		}
	}
	return out, nil
}

// as asks on behalf of a viewer, with their rights and no more.
func as(ctx context.Context, v *viewer.Viewer) context.Context {
	return scope.Lower(viewer.With(ctx, v))
}

// envelope is a CloudEvent 1.0 in its JSON form.
type envelope struct {
	Version     string         `json:"specversion"`
	ID          string         `json:"id"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`
	Subject     string         `json:"subject,omitempty"`
	Time        time.Time      `json:"time"`
	ContentType string         `json:"datacontenttype"`
	Data        map[string]any `json:"data"`
}

// body writes a message.
func body(w *ent.Webhook, d *ent.WebhookDelivery, at time.Time, data map[string]any) ([]byte, error) {
	source, _ := w.Custom["source"].(string)
	if source == "" {
		source = "urn:steward"
	}
	return json.Marshal(envelope{"1.0", d.ID.String(), source, d.Type, d.SubjectID, at.UTC(), "application/json", data})
}
