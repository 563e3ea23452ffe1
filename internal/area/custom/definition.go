package custom

import (
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/customfield"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/errs"
)

// MaxFields is how many fields of its own one kind of record may have, those no longer
// in use among them.
const MaxFields = 100

// definition checks a new or changed definition: what exists must go on meaning what
// it meant when it was set.
func definition(ctx context.Context, s *store.Store, m *ent.CustomFieldMutation) error {
	kind, setKind := m.Kind()
	choices, setChoices := m.Choices()
	if m.Op().Is(ent.OpCreate) {
		if err := begin(ctx, m); err != nil {
			return err
		}
		if !setKind {
			kind = customfield.DefaultKind
		}
		return settle(m, kind, choices)
	}
	if !setKind && !setChoices && !m.ChoicesCleared() {
		return nil
	}
	id, _ := m.ID()
	old, err := m.Client().CustomField.Query().Where(customfield.ID(id), s.Lock()).Only(scope.Elevate(ctx))
	if err != nil {
		return err
	}
	was := fieldOf(old)
	if !setKind {
		kind = old.Kind
	}
	if !setChoices && !m.ChoicesCleared() && kind == old.Kind {
		choices = old.Choices
	}
	if err := settle(m, kind, choices); err != nil {
		return err
	}
	if kind != old.Kind {
		n, err := was.count(ctx, m.Client(), Any)
		if err != nil || n == 0 {
			return err
		}
		return errs.Invalid("kind", "custom.kind_used", "n", n)
	}
	kept, _ := m.Choices()
	for _, c := range old.Choices {
		if slices.Contains(kept, c) {
			continue
		}
		n, err := was.count(ctx, m.Client(), Is, c)
		if err != nil {
			return err
		}
		if n > 0 {
			return errs.Invalid("choices", "custom.choice_used", "choice", c, "n", n)
		}
	}
	return nil
}

// begin checks what never changes afterwards.
func begin(ctx context.Context, m *ent.CustomFieldMutation) error {
	name, _ := m.Entity()
	if !Offers(entity.ByName(name)) {
		return errs.Invalid("entity", "custom.entity", "value", named(name))
	}
	code, _ := m.Code()
	if !rules.IsCode(code) {
		return errs.Invalid("code", "custom.code", "value", named(code))
	}
	others, err := m.Client().CustomField.Query().Where(customfield.Entity(name)).Select(customfield.FieldCode).Strings(scope.Elevate(ctx))
	if err != nil {
		return err
	}
	if len(others) >= MaxFields {
		return errs.Invalid("entity", "custom.fields_many", "max", MaxFields)
	}
	for _, other := range others { // the headers of files tell names apart by letters and digits alone
		if code != other && bare(code) == bare(other) {
			return errs.Invalid("code", "custom.code_like", "value", other)
		}
	}
	return nil
}

func bare(code string) string { return strings.ReplaceAll(code, "_", "") }

// settle makes the mutation write the choices that the kind has.
func settle(m *ent.CustomFieldMutation, kind customfield.Kind, choices []string) error {
	if kind != customfield.KindCHOICE && m.Op().Is(ent.OpUpdateOne) {
		if set, ok := m.Choices(); !ok || len(set) == 0 {
			choices = nil // those of a choice that is one no longer
		}
	}
	out, err := rules.CheckChoices(rules.Kind(kind), choices)
	if err != nil {
		return err
	}
	m.ResetChoices()
	if len(out) > 0 {
		m.SetChoices(out)
	} else if m.Op().Is(ent.OpUpdateOne) {
		m.ClearChoices()
	}
	return nil
}

// count returns how many records of any portfolio the condition holds for.
func (f Field) count(ctx context.Context, c *ent.Client, op Op, values ...any) (int, error) {
	where, err := f.Where(op, values...)
	if err != nil {
		return 0, err
	}
	return entity.ByName(f.Entity).Count(scope.Elevate(ctx), c, func(sel *sql.Selector) { where(sel) })
}
