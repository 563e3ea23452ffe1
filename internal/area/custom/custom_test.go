package custom_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/customfield"
	"steward/internal/area/custom"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// world is a vendor, and a field of each kind that vendors have.
type world struct {
	*testing.T
	s      *store.Store
	vendor *ent.Vendor
	fields map[string]*ent.CustomField
}

var kinds = map[string]customfield.Kind{"note": customfield.KindTEXT, "size": customfield.KindNUMBER, "day": customfield.KindDATE,
	"open": customfield.KindYES_NO, "class": customfield.KindCHOICE, "site": customfield.KindLINK}

func each(t *testing.T, test func(w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		custom.Install(s, time.Hour)
		w := &world{T: t, s: s, fields: map[string]*ent.CustomField{}}
		w.must(func(ctx context.Context, c *ent.Client) error {
			for code, kind := range kinds {
				f := c.CustomField.Create().SetEntity("Vendor").SetCode(code).SetName("The " + code).SetKind(kind)
				if kind == customfield.KindCHOICE {
					f.SetChoices([]string{"Public", "Protected A"})
				}
				w.fields[code] = f.SaveX(ctx)
			}
			w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
			return nil
		})
		test(w)
	})
}

func (w *world) do(f func(context.Context, *ent.Client) error) error {
	return w.s.Tx(testkit.System(), f)
}

func (w *world) must(f func(context.Context, *ent.Client) error) {
	w.Helper()
	if err := w.do(f); err != nil {
		w.Fatal(err)
	}
}

// set writes values to the vendor.
func (w *world) set(values map[string]any) error {
	return w.do(func(ctx context.Context, c *ent.Client) error {
		return c.Vendor.UpdateOneID(w.vendor.ID).SetCustom(values).Exec(ctx)
	})
}

// has compares what the vendor has.
func (w *world) has(want map[string]any) {
	w.Helper()
	if got := w.s.Client.Vendor.GetX(testkit.System(), w.vendor.ID).Custom; !maps.Equal(got, want) {
		w.Errorf("the row has %v, want %v", got, want)
	}
}

// refused wants a Validation error about the paths, each with the message.
func (w *world) refused(err error, want map[string]string) {
	w.Helper()
	var e *errs.Error
	if !errors.As(err, &e) || e.Code != errs.Validation {
		w.Errorf("%v, want a refusal of %v", err, want)
		return
	}
	got := map[string]string{}
	for _, f := range e.Fields {
		got[f.Path] = f.Key
	}
	if !maps.Equal(got, want) {
		w.Errorf("refused %v, want %v", got, want)
	}
}

var all = map[string]any{"note": "Été", "size": "12.50", "day": "2026-04-01", "open": false, "class": "Public", "site": "https://example.org/"}

func TestValuesAreMerged(t *testing.T) {
	each(t, func(w *world) {
		if err := w.set(map[string]any{"note": "  Été ", "size": json.Number("12.5"), "day": "2026-04-01", "open": false, "class": "Public", "site": "https://example.org/"}); err != nil {
			t.Fatal(err)
		}
		w.has(all)
		if err := w.set(map[string]any{"note": nil, "open": true, "size": ""}); err != nil {
			t.Fatal(err)
		}
		w.has(map[string]any{"day": "2026-04-01", "open": true, "class": "Public", "site": "https://example.org/"})
		if err := w.set(map[string]any{}); err != nil {
			t.Fatal(err)
		}
		w.has(map[string]any{"day": "2026-04-01", "open": true, "class": "Public", "site": "https://example.org/"})
		err := w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOneID(w.vendor.ID).ClearCustom().SetCustom(map[string]any{"note": "alone"}).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.has(map[string]any{"note": "alone"})
		if err := w.set(map[string]any{"note": nil}); err != nil {
			t.Fatal(err)
		}
		w.has(nil)
	})
}

func TestWrongValuesAreRefused(t *testing.T) {
	each(t, func(w *world) {
		hostile := "x'; DROP TABLE vendors; --\x00\n" + strings.Repeat("y", 100)
		err := w.set(map[string]any{"note": 5.0, "size": "many", "day": "2026-02-30", "open": "yes", "class": "Secret", "site": "javascript:alert(1)", hostile: "x"})
		var e *errs.Error
		if !errors.As(err, &e) || len(e.Fields) != 7 {
			t.Fatalf("%v", err)
		}
		for _, f := range e.Fields {
			if strings.ContainsAny(f.Path, "\x00\n") || len(f.Path) > 60 {
				t.Errorf("the answer repeats %q", f.Path)
			}
			if f.Path == "custom.size" && (f.Key != "custom.number" || f.Args[1] != "The size") {
				t.Errorf("%+v does not name the field", f)
			}
		}
		many := map[string]any{}
		for i := range 500 {
			many[fmt.Sprintf("no_%d", i)] = i
		}
		if err := w.set(many); !errors.As(err, &e) || len(e.Fields) > 20 {
			t.Errorf("%d keys are complained about", len(e.Fields))
		}
		w.has(nil)
		err = w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.Create().SetName("New").SetCustom(map[string]any{"size": []any{1}}).Exec(ctx)
		})
		w.refused(err, map[string]string{"custom.size": "custom.number"})
		// a field of one kind of record is none of another
		err = w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Component.Create().SetName("New").SetCustom(map[string]any{"note": "x"}).Exec(ctx)
		})
		w.refused(err, map[string]string{"custom.note": "custom.unknown"})
	})
}

func TestRequired(t *testing.T) {
	each(t, func(w *world) {
		if err := w.set(map[string]any{"note": "x"}); err != nil {
			t.Fatal(err)
		}
		create := func(values map[string]any) error {
			return w.do(func(ctx context.Context, c *ent.Client) error {
				m := c.Vendor.Create().SetName("V")
				if values != nil {
					m.SetCustom(values)
				}
				return m.Exec(ctx)
			})
		}
		if err := create(nil); err != nil {
			t.Fatal(err)
		}
		w.must(func(ctx context.Context, c *ent.Client) error {
			for _, code := range []string{"note", "open"} {
				if err := c.CustomField.UpdateOne(w.fields[code]).SetRequired(true).Exec(ctx); err != nil {
					return err
				}
			}
			// also within the transaction that makes it so
			w.refused(c.Vendor.Create().SetName("V").Exec(ctx), map[string]string{"custom.note": "custom.required", "custom.open": "custom.required"})
			return nil
		})
		w.refused(create(nil), map[string]string{"custom.note": "custom.required", "custom.open": "custom.required"})
		w.refused(create(map[string]any{"open": true, "note": " "}), map[string]string{"custom.note": "custom.required"})
		w.refused(create(map[string]any{"open": "x", "note": "x"}), map[string]string{"custom.open": "custom.yes_no"})
		if err := create(map[string]any{"open": false, "note": "x"}); err != nil {
			t.Fatal(err)
		}
		// what has a value keeps one; what never had one may be changed otherwise
		w.refused(w.set(map[string]any{"note": nil}), map[string]string{"custom.note": "custom.required"})
		err := w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOneID(w.vendor.ID).ClearCustom().Exec(ctx)
		})
		w.refused(err, map[string]string{"custom.note": "custom.required"})
		if err := w.set(map[string]any{"size": "1"}); err != nil {
			t.Fatal(err)
		}
		w.has(map[string]any{"note": "x", "size": "1.00"})
	})
}

func TestArchivedFields(t *testing.T) {
	each(t, func(w *world) {
		if err := w.set(map[string]any{"note": "old", "size": "1"}); err != nil {
			t.Fatal(err)
		}
		if err := w.s.Archive(testkit.System(), "CustomField", w.fields["note"].ID, 1); err != nil {
			t.Fatal(err)
		}
		w.refused(w.set(map[string]any{"note": "new"}), map[string]string{"custom.note": "custom.archived"})
		if err := w.set(map[string]any{"note": "old", "size": "2"}); err != nil { // as it was
			t.Fatal(err)
		}
		w.has(map[string]any{"note": "old", "size": "2.00"})
		of, err := custom.Of(testkit.System(), w.s, "Vendor")
		if err != nil || len(of) != 6 || !of[5].Archived || of[5].Code != "note" {
			t.Errorf("%v %v", of, err)
		}
		if err := w.set(map[string]any{"note": nil}); err != nil {
			t.Fatal(err)
		}
		w.has(map[string]any{"size": "2.00"})
	})
}

func TestAuditAndUndo(t *testing.T) {
	each(t, func(w *world) {
		if err := w.set(map[string]any{"note": "first", "open": true}); err != nil {
			t.Fatal(err)
		}
		token, err := w.s.Do(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOneID(w.vendor.ID).SetCustom(map[string]any{"note": "second", "open": nil, "size": "3"}).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		diff := w.s.LastChange(testkit.System(), w.vendor.ID).Diff
		want := map[string][2]any{"custom.note": {"first", "second"}, "custom.open": {true, nil}, "custom.size": {nil, "3.00"}}
		if !maps.Equal(diff, want) {
			t.Errorf("the audit says %v", diff)
		}
		if _, err := w.s.Undo(testkit.System(), token); err != nil {
			t.Fatal(err)
		}
		w.has(map[string]any{"note": "first", "open": true})
	})
}

func TestDefinitions(t *testing.T) {
	each(t, func(w *world) {
		create := func(of, code string, kind customfield.Kind, choices ...string) error {
			return w.do(func(ctx context.Context, c *ent.Client) error {
				return c.CustomField.Create().SetEntity(of).SetCode(code).SetName("X").SetKind(kind).SetChoices(choices).Exec(ctx)
			})
		}
		text, choice := customfield.KindTEXT, customfield.KindCHOICE
		w.refused(create("Nothing", "a", text), map[string]string{"entity": "custom.entity"})
		w.refused(create("RoleGrant", "a", text), map[string]string{"entity": "custom.entity"})
		w.refused(create("CustomField", "a", text), map[string]string{"entity": "custom.entity"})
		w.refused(create("vendors; --", "a", text), map[string]string{"entity": "custom.entity"})
		for _, code := range []string{"A", "a b", "a-b", "a'", "1a", "é", "a.b"} {
			w.refused(create("Vendor", code, text), map[string]string{"code": "custom.code"})
		}
		w.refused(create("Vendor", "no_te", text), map[string]string{"code": "custom.code_like"})
		w.refused(create("Vendor", "a", choice), map[string]string{"choices": "custom.choices_needed"})
		w.refused(create("Vendor", "a", choice, "A", "A"), map[string]string{"choices": "custom.choice_bad"})
		w.refused(create("Vendor", "a", text, "A"), map[string]string{"choices": "custom.choices_only"})
		if err := create("Contract", "note", text); err != nil {
			t.Fatal(err)
		}

		change := func(code string, f func(*ent.CustomFieldUpdateOne)) error {
			return w.do(func(ctx context.Context, c *ent.Client) error {
				u := c.CustomField.UpdateOneID(w.fields[code].ID)
				f(u)
				return u.Exec(ctx)
			})
		}
		if err := w.set(map[string]any{"class": "Public", "note": "x"}); err != nil {
			t.Fatal(err)
		}
		w.refused(change("note", func(u *ent.CustomFieldUpdateOne) { u.SetKind(customfield.KindNUMBER) }), map[string]string{"kind": "custom.kind_used"})
		w.refused(change("class", func(u *ent.CustomFieldUpdateOne) { u.SetChoices([]string{"Protected A"}) }), map[string]string{"choices": "custom.choice_used"})
		w.refused(change("class", func(u *ent.CustomFieldUpdateOne) { u.SetKind(text) }), map[string]string{"kind": "custom.kind_used"})
		w.refused(change("note", func(u *ent.CustomFieldUpdateOne) { u.SetChoices([]string{"A"}) }), map[string]string{"choices": "custom.choices_only"})
		if err := change("class", func(u *ent.CustomFieldUpdateOne) { u.SetChoices([]string{"Public", "Open"}) }); err != nil {
			t.Fatal(err)
		}
		w.refused(w.set(map[string]any{"class": "Protected A"}), map[string]string{"custom.class": "custom.choice"})
		if err := w.set(map[string]any{"class": "Open", "note": nil}); err != nil {
			t.Fatal(err)
		}
		if err := change("note", func(u *ent.CustomFieldUpdateOne) { u.SetKind(choice).SetChoices([]string{"A"}) }); err != nil {
			t.Fatal(err)
		}
		if err := w.set(map[string]any{"class": nil}); err != nil {
			t.Fatal(err)
		}
		if err := change("class", func(u *ent.CustomFieldUpdateOne) { u.SetKind(text) }); err != nil {
			t.Fatal(err)
		}
		if f := w.s.Client.CustomField.GetX(testkit.System(), w.fields["class"].ID); len(f.Choices) != 0 || f.Kind != text {
			t.Errorf("a text keeps choices: %v", f)
		}
	})
}

// A choice cannot be taken away while somebody is just taking it: the two wait for one
// another, whatever the order, and never both succeed.
func TestChoiceRace(t *testing.T) {
	each(t, func(w *world) {
		for range 5 {
			if err := w.do(func(ctx context.Context, c *ent.Client) error {
				if err := c.Vendor.UpdateOneID(w.vendor.ID).ClearCustom().Exec(ctx); err != nil {
					return err
				}
				return c.CustomField.UpdateOneID(w.fields["class"].ID).SetChoices([]string{"Public", "Protected A"}).Exec(ctx)
			}); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Add(2)
			go func() { defer wg.Done(); _ = w.set(map[string]any{"class": "Protected A"}) }()
			go func() {
				defer wg.Done()
				_ = w.do(func(ctx context.Context, c *ent.Client) error {
					return c.CustomField.UpdateOneID(w.fields["class"].ID).SetChoices([]string{"Public"}).Exec(ctx)
				})
			}()
			wg.Wait()
			choices := w.s.Client.CustomField.GetX(testkit.System(), w.fields["class"].ID).Choices
			if v := w.s.Client.Vendor.GetX(testkit.System(), w.vendor.ID).Custom["class"]; v != nil && !slices.Contains(choices, v.(string)) {
				t.Fatalf("the row has %v of %v", v, choices)
			}
		}
	})
}

// Two people who set different fields of a row keep both values.
func TestMergeRace(t *testing.T) {
	each(t, func(w *world) {
		var wg sync.WaitGroup
		for code, v := range all {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for { // SQLite and a deadlock may ask for another try
					err := w.set(map[string]any{code: v})
					if errs.CodeOf(err) != errs.Unavailable {
						if err != nil {
							t.Error(err)
						}
						return
					}
				}
			}()
		}
		wg.Wait()
		w.has(all)
	})
}

func TestFilter(t *testing.T) {
	each(t, func(w *world) {
		rows := map[string]map[string]any{
			"a": {"note": "Hundred % été", "size": "10", "day": "2026-01-31", "open": true, "class": "Public", "site": "https://example.org/"},
			"b": {"note": "hundred _ more", "size": "9.5", "day": "2026-02-01", "open": false, "class": "Protected A"},
			"c": {"size": "-2.0001", "note": `back\slash`},
			"d": {"size": "922337203685477.5807"},
			"e": {"size": "922337203685477.5806"},
			"f": nil,
		}
		w.must(func(ctx context.Context, c *ent.Client) error {
			for name, values := range rows {
				m := c.Vendor.Create().SetName(name)
				if values != nil {
					m.SetCustom(values)
				}
				if err := m.Exec(ctx); err != nil {
					return err
				}
			}
			return c.Vendor.UpdateOneID(w.vendor.ID).SetName("g").Exec(ctx)
		})
		e := entity.ByName("Vendor")
		for _, c := range []struct {
			code string
			op   custom.Op
			v    []any
			want string
		}{
			{"note", custom.Contains, []any{"HUNDRED"}, "ab"}, {"note", custom.Contains, []any{"%"}, "a"}, {"note", custom.Contains, []any{"_"}, "b"},
			{"note", custom.Contains, []any{`\`}, "c"}, {"note", custom.Contains, []any{"'"}, ""}, {"note", custom.Is, []any{"hundred _ more"}, "b"},
			{"note", custom.Is, []any{"hundred _ more", `back\slash`}, "bc"}, {"note", custom.None, nil, "defg"}, {"note", custom.Any, nil, "abc"},
			{"size", custom.AtLeast, []any{"9.5"}, "abde"}, {"size", custom.More, []any{"9.5"}, "ade"}, {"size", custom.Less, []any{json.Number("9.5")}, "c"},
			{"size", custom.AtMost, []any{9.5}, "bc"}, {"size", custom.Is, []any{"10.00"}, "a"}, {"size", custom.Less, []any{"-2"}, "c"},
			{"size", custom.Is, []any{"-2.0001", 10}, "ac"},
			{"size", custom.AtLeast, []any{"922337203685477.5807"}, "d"}, {"size", custom.Is, []any{"922337203685477.5806"}, "e"},
			{"day", custom.AtLeast, []any{"2026-02-01"}, "b"}, {"day", custom.Less, []any{"2026-02-01"}, "a"}, {"day", custom.Is, []any{"2026-01-31"}, "a"},
			{"open", custom.Is, []any{true}, "a"}, {"open", custom.Is, []any{false}, "b"}, {"open", custom.Is, []any{true, false}, "ab"},
			{"class", custom.Is, []any{"Public"}, "a"}, {"class", custom.Is, []any{"Public", "Gone"}, "a"}, {"class", custom.Contains, []any{"prot"}, "b"},
			{"site", custom.Contains, []any{"EXAMPLE"}, "a"}, {"site", custom.None, nil, "bcdefg"},
		} {
			where, err := custom.Filter(testkit.System(), w.s, "Vendor", c.code, c.op, c.v...)
			if err != nil {
				t.Errorf("%s %s %v: %v", c.code, c.op, c.v, err)
				continue
			}
			found, err := e.List(testkit.System(), w.s.Client, where, func(sel *sql.Selector) { sel.OrderBy(sel.C("name")) }, 0, 0)
			if err != nil {
				t.Errorf("%s %s %v: %v", c.code, c.op, c.v, err)
				continue
			}
			got := ""
			for _, row := range found {
				got += row1(e, row)
			}
			if got != c.want {
				t.Errorf("%s %s %v finds %q, want %q", c.code, c.op, c.v, got, c.want)
			}
		}
		for _, c := range []struct {
			code string
			op   custom.Op
			v    []any
		}{
			{"no", custom.Is, []any{"x"}}, {"note' OR 1=1 --", custom.Is, []any{"x"}}, {"note", custom.AtLeast, []any{"x"}}, {"note", "; DROP", []any{"x"}},
			{"size", custom.AtLeast, []any{"x"}}, {"size", custom.AtLeast, nil}, {"size", custom.AtLeast, []any{"1", "2"}}, {"size", custom.Contains, []any{"1"}},
			{"open", custom.Is, []any{"maybe"}}, {"day", custom.Is, []any{nil}}, {"note", custom.Contains, []any{"\x00"}}, {"note", custom.Contains, []any{1}},
		} {
			if _, err := custom.Filter(testkit.System(), w.s, "Vendor", c.code, c.op, c.v...); errs.CodeOf(err) != errs.Validation {
				t.Errorf("%s %s %v is taken: %v", c.code, c.op, c.v, err)
			}
		}
		// values that broke in without the rules are passed over, not an error
		if _, err := w.s.DB.Exec(`UPDATE vendors SET custom = '{"size": "ten", "day": 5, "open": "x"}' WHERE name = 'f'`); err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"size", "open"} {
			v := any("1")
			if code == "open" {
				v = true
			}
			where, err := custom.Filter(testkit.System(), w.s, "Vendor", code, custom.Is, v)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Count(testkit.System(), w.s.Client, where); err != nil {
				t.Errorf("a broken %s: %v", code, err)
			}
		}
	})
}

func row1(e *entity.Entity, row entity.Row) string { return fmt.Sprint(e.Value(row, "name")) }

// Without definitions nothing is asked of the database; with them one statement, or two
// where values are set on a row that exists.
func TestStatements(t *testing.T) {
	each(t, func(w *world) {
		count := func(f func(context.Context, *ent.Client) error) int {
			w.s.Statements.Reset()
			w.must(f)
			return w.s.Statements.N()
		}
		name := func(ctx context.Context, c *ent.Client) error { return c.Vendor.Create().SetName("x").Exec(ctx) }
		count(name)
		if a, b := count(name), count(name); a != b {
			t.Errorf("%d statements, then %d", a, b)
		}
		plain := count(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOneID(w.vendor.ID).SetName("y").Exec(ctx)
		})
		set := count(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOneID(w.vendor.ID).SetName("z").SetCustom(map[string]any{"note": "n"}).Exec(ctx)
		})
		if set != plain+2 {
			t.Errorf("%d statements with a value, %d without", set, plain)
		}
		many := func(n int, values map[string]any) int {
			return count(func(ctx context.Context, c *ent.Client) error {
				for range n {
					if err := c.Vendor.Create().SetName("x").SetCustom(values).Exec(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		with, without := map[string]any{"note": "n"}, map[string]any{}
		if a, b := many(1, with)-many(1, without), many(3, with)-many(3, without); a != 1 || b != 1 {
			t.Errorf("the definitions take %d statements for one row and %d for three", a, b)
		}
	})
}

// A definition made elsewhere is noticed when what is kept is too old.
func TestAnotherReplica(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, here *store.Store) {
		there := testkit.OpenURL(t, here.URL)
		custom.Install(here, time.Hour)
		custom.Install(there, 0)
		of := func(s *store.Store) int {
			list, err := custom.Of(testkit.System(), s, "Vendor")
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if of(here) != 0 || of(there) != 0 {
			t.Fatal("there are fields")
		}
		if err := here.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.CustomField.Create().SetEntity("Vendor").SetCode("a").SetName("A").Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		if of(here) != 1 || of(there) != 1 {
			t.Errorf("%d fields here and %d there", of(here), of(there))
		}
		_ = here.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			c.CustomField.Create().SetEntity("Vendor").SetCode("b").SetName("B").ExecX(ctx)
			if list, _ := custom.Of(ctx, here, "Vendor"); len(list) != 2 {
				t.Errorf("a transaction does not see its own field: %v", list)
			}
			return errors.New("taken back")
		})
		if of(here) != 1 {
			t.Errorf("%d fields after one was taken back", of(here))
		}
		// values are checked by what is in force, however old the list is
		if err := there.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.CustomField.Create().SetEntity("Vendor").SetCode("c").SetName("C").Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		if err := here.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.Create().SetName("V").SetCustom(map[string]any{"c": "x"}).Exec(ctx)
		}); err != nil {
			t.Errorf("a field made elsewhere is unknown: %v", err)
		}
	})
}

// Who may not read definitions is not told of them.
func TestSeen(t *testing.T) {
	each(t, func(w *world) {
		partner := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_x"), Roles: []string{"partner"}, Via: viewer.ViaPage, Lang: "en"})
		list, err := custom.Seen(partner, w.s, "Vendor")
		if err != nil || len(list) > 0 {
			t.Errorf("a partner sees %v, %v", list, err)
		}
		if list, err := custom.Seen(testkit.System(), w.s, "Vendor"); err != nil || len(list) != 6 {
			t.Errorf("%v %v", list, err)
		}
	})
}
