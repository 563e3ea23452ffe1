// Package custom gives an organisation fields of its own: a definition (CustomField)
// says what a field of one kind of record is called and takes, the values lie in the
// custom column of the rows. Install makes both hold on every write of a registry
// entity, whichever door it comes through; Of tells pages, exports and imports which
// fields there are; Where turns a filter into a condition for any query.
//
// Values are merged: keys that are given replace, null takes a value away, keys that
// are absent stay. What a key names must be a definition in use, and its value must be
// one that the definition takes.
package custom

import (
	"context"
	"sync"
	"time"

	"steward/ent"
	"steward/ent/customfield"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/ident"
)

// Field is the definition of a field.
type Field struct {
	rules.Field
	ID           ident.ID
	Entity       string
	Name, NameFr string
	Help         string
	Archived     bool // its values stay, nobody may set new ones
}

// In returns what the field is called in a language.
func (f Field) In(lang string) string {
	if lang == i18n.French && f.NameFr != "" {
		return f.NameFr
	}
	return f.Name
}

// Rule returns the rules of the field, whose messages call it as the language does.
func (f Field) Rule(lang string) rules.Field {
	r := f.Field
	r.Label = f.In(lang)
	return r
}

// Of returns the fields of an entity in the order of their names, those no longer in
// use last. What is kept may be as old as Install was told; a replica hears of its own
// changes at once.
func Of(ctx context.Context, s *store.Store, name string) ([]Field, error) {
	all, err := All(ctx, s)
	return all[name], err
}

// All returns the fields of all entities, as Of does, by entity.
func All(ctx context.Context, s *store.Store) (map[string][]Field, error) {
	k := kept(s)
	if t := inTx(ctx); t != nil && t.changed {
		return read(ctx, s)
	}
	k.Lock()
	all, turn := k.all, k.turn
	if all != nil && time.Since(k.at) < k.age {
		k.Unlock()
		return all, nil
	}
	k.Unlock()
	all, err := read(ctx, s)
	if err != nil {
		return nil, err
	}
	k.Lock()
	defer k.Unlock()
	if k.turn == turn { // nobody has changed a definition since
		k.all, k.at = all, time.Now().UTC()
	}
	return all, nil
}

// Seen is Of for somebody: without those who may not read definitions, such as
// partners, to whom the fields of the house are none of their business.
func Seen(ctx context.Context, s *store.Store, name string) ([]Field, error) {
	if !readable(ctx) {
		return nil, nil
	}
	return Of(ctx, s, name)
}

// Offers reports whether records of an entity can have fields of their own.
func Offers(e *entity.Entity) bool {
	if e == nil || !e.Registry || e.ReadOnly || e.New == nil || e.Name == "CustomField" {
		return false
	}
	_, ok := e.Field("custom")
	return ok
}

func read(ctx context.Context, s *store.Store) (map[string][]Field, error) {
	rows, err := s.ClientOf(ctx).CustomField.Query().Order(ordered...).All(scope.Elevate(ctx))
	if err != nil {
		return nil, store.Known(err)
	}
	all := map[string][]Field{}
	for _, archived := range []bool{false, true} {
		for _, row := range rows {
			if f := fieldOf(row); f.Archived == archived {
				all[f.Entity] = append(all[f.Entity], f)
			}
		}
	}
	return all, nil
}

var ordered = []customfield.OrderOption{customfield.ByName(), customfield.ByCode()}

func fieldOf(row *ent.CustomField) Field {
	return Field{ID: row.ID, Entity: row.Entity, Name: row.Name, NameFr: row.NameFr, Help: row.Help, Archived: row.ArchivedAt != nil,
		Field: rules.Field{Code: row.Code, Kind: rules.Kind(row.Kind), Choices: row.Choices, Required: row.Required}}
}

// keep is what a store keeps of the definitions for those who read.
type keep struct {
	sync.Mutex
	age  time.Duration
	at   time.Time
	turn int // grows with each change
	all  map[string][]Field
}

type keepKey struct{}

func kept(s *store.Store) *keep { return store.Kept(s, keepKey{}, func() *keep { return &keep{} }) }

func (k *keep) forget() {
	k.Lock()
	defer k.Unlock()
	k.all, k.turn = nil, k.turn+1
}

// during is what a transaction knows of the definitions: those it has read under a
// lock, which hold until it ends, and whether it has changed any.
type during struct {
	fields  map[string]map[string]Field
	changed bool
}

type duringKey struct{}

func inTx(ctx context.Context) *during {
	return store.KeptInTx(ctx, duringKey{}, func() *during { return &during{fields: map[string]map[string]Field{}} })
}
