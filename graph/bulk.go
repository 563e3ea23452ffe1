package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"steward/graph/model"
	"steward/internal/area/bulk"
	"steward/internal/area/custom"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

var changeKinds = map[model.RecordChange]bulk.Kind{
	model.RecordChangeSet: bulk.Set, model.RecordChangeArchive: bulk.Archive, model.RecordChangeRestore: bulk.Restore,
}

// changeRecords makes one change to many records of one type. What stands in the way
// is an error, so that the transaction is taken back.
func (r *Resolver) changeRecords(ctx context.Context, in model.ChangeRecordsInput) (*model.ChangeRecordsPayload, error) {
	ids := make([]ident.ID, len(in.Rows))
	x := bulk.Change{Kind: changeKinds[in.Change], Rows: map[ident.ID]int{}, Skip: in.Skip != nil && *in.Skip}
	for i, row := range in.Rows {
		ids[i] = row.ID
		x.Rows[row.ID] = 0
		if row.Version != nil {
			x.Rows[row.ID] = *row.Version
		}
	}
	e, err := typeOf("rows", ids)
	if err != nil {
		return nil, err
	}
	x.Entity = e
	if x.Kind == bulk.Set {
		if err := r.setting(ctx, &x, in); err != nil {
			return nil, err
		}
	}
	done, err := bulk.Apply(store.Because(ctx, in.Reason), r.Store, x)
	if err != nil {
		return nil, err
	}
	if len(done.Refused) > 0 && !x.Skip {
		return nil, inTheWay(ids, done.Refused)
	}
	out := &model.ChangeRecordsPayload{Changed: done.Done, Refused: []*model.RefusedRecord{}}
	if done.Token != "" {
		out.UndoToken = &done.Token
	}
	for _, no := range done.Refused {
		out.Refused = append(out.Refused, &model.RefusedRecord{ID: no.ID, Code: string(no.Err.Code), Reason: i18n.Error(viewer.From(ctx).Lang, no.Err)})
	}
	return out, nil
}

// setting says which field is given which value.
func (r *Resolver) setting(ctx context.Context, x *bulk.Change, in model.ChangeRecordsInput) error {
	name := text(in.Field)
	if strings.HasPrefix(name, rules.Prefix) {
		return r.settingOwn(ctx, x, name, text(in.Value))
	}
	if x.Field = fieldNamed(x.Entity, name); x.Field == nil || !bulk.Fits(x.Entity, x.Field) {
		return errs.Invalid("field", "web.unknown_field", "name", name)
	}
	value, err := x.Field.Parse(text(in.Value), "")
	if wrong := errs.As(err); wrong != nil && len(wrong.Fields) > 0 {
		return errs.Invalid("value", wrong.Fields[0].Key, wrong.Fields[0].Args...)
	}
	x.Value = value
	return err
}

// settingOwn says which custom field is given which value.
func (r *Resolver) settingOwn(ctx context.Context, x *bulk.Change, path, value string) error {
	fields, err := custom.Seen(ctx, r.Store, x.Entity.Name)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(fields, func(f custom.Field) bool { return f.Path() == path && !f.Archived })
	if i < 0 {
		return errs.Invalid("field", "web.unknown_field", "name", path)
	}
	x.Field = &entity.Field{Name: path, GQL: path, Nullable: true}
	x.Value, err = fields[i].Rule(viewer.From(ctx).Lang).Parse(value, "")
	if wrong := errs.As(err); wrong != nil && len(wrong.Fields) > 0 {
		return errs.Invalid("value", wrong.Fields[0].Key, wrong.Fields[0].Args...)
	}
	return err
}

// inTheWay says which records kept a change from being made. One that is not there
// makes the whole answer that of what is not there.
func inTheWay(ids []ident.ID, refused []bulk.Refusal) error {
	at := map[ident.ID]int{}
	for i, id := range ids {
		at[id] = i
	}
	code, fields := refused[0].Err.Code, []errs.Field(nil)
	for _, x := range refused {
		if x.Err.Code == errs.CodeNotFound {
			return errs.NotFound()
		}
		if x.Err.Code == errs.CodeForbidden {
			code = errs.CodeForbidden
		}
		f := errs.Field{Path: fmt.Sprint("rows.", at[x.ID]), Key: x.Err.Key, Args: x.Err.Args}
		if len(x.Err.Fields) > 0 {
			f.Key, f.Args = x.Err.Fields[0].Key, x.Err.Fields[0].Args
		}
		fields = append(fields, f)
	}
	e := errs.New(code, "graph.in_the_way", "n", len(refused))
	for _, f := range fields {
		e = e.With(f)
	}
	return e
}

// fieldNamed returns the field with a name of the schema, nil for none.
func fieldNamed(e *entity.Entity, name string) *entity.Field {
	for i := range e.Fields {
		if e.Fields[i].GQL == name {
			return &e.Fields[i]
		}
	}
	return nil
}
