package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/platform/scope"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// Word is a text and what stands in its place.
type Word struct {
	From, To string
	// Whole words are replaced only where they are all of a text: a first name is part
	// of too many others.
	Whole bool
}

// Words are replaced together.
type Words []Word

// In replaces them in a text; what is written in small letters alone, too.
func (w Words) In(s string) string {
	for _, p := range w {
		switch {
		case !p.Whole:
			s = strings.ReplaceAll(strings.ReplaceAll(s, p.From, p.To), strings.ToLower(p.From), p.To)
		case s == p.From:
			s = p.To
		}
	}
	return s
}

// within replaces them in every text of a JSON value.
func (w Words) within(v any) any {
	switch x := v.(type) {
	case string:
		return w.In(x)
	case []any:
		for i := range x {
			x[i] = w.within(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = w.within(x[k])
		}
	}
	return v
}

// column is one that holds text or JSON.
type column struct {
	table, name string
	json        bool
}

// texts lists all columns of all tables that can hold somebody's name.
func (s *Store) texts(ctx context.Context) ([]column, error) {
	q := "SELECT m.name, c.name, lower(c.type) FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
	if s.Dialect == dialect.Postgres {
		q = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2"
	}
	rows, err := s.Raw(ctx).QueryContext(ctx, q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []column
	for rows.Next() {
		var c column
		var kind string
		if err := rows.Scan(&c.table, &c.name, &kind); err != nil {
			return nil, err
		}
		c.json = strings.HasPrefix(kind, "json")
		if c.json || strings.HasPrefix(kind, "text") || strings.HasPrefix(kind, "varchar") || strings.HasPrefix(kind, "character varying") {
			if !strings.HasPrefix(c.table, "goose") {
				out = append(out, c)
			}
		}
	}
	return out, rows.Err()
}

// Forget replaces words in every text of every table, the record of changes
// included, and returns how many values it changed. It is how a person is erased:
// it passes the guards by, on purpose, so that nothing new tells what was replaced.
// Whoever calls it has looked at the right and notes it, see Redaction.
func (s *Store) Forget(ctx context.Context, words Words) (int, error) {
	list, err := s.texts(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, c := range list {
		if c.table == changeevent.Table {
			continue
		}
		for _, p := range words {
			for _, from := range slices.Compact([]string{p.From, strings.ToLower(p.From)}) {
				n, err := s.replace(ctx, c, Word{from, p.To, p.Whole})
				if err != nil {
					return total, fmt.Errorf("%s.%s: %w", c.table, c.name, err)
				}
				total += n
			}
		}
	}
	return total, nil
}

func (s *Store) replace(ctx context.Context, c column, w Word) (int, error) {
	from, to := w.From, w.To
	name, cast, back := `"`+c.name+`"`, `"`+c.name+`"`, ""
	if c.json {
		if from, to = escaped(from), escaped(to); w.Whole {
			from, to = `"`+from+`"`, `"`+to+`"`
		}
		if s.Dialect == dialect.Postgres {
			cast, back = cast+"::text", "::jsonb"
		}
	}
	find := "instr(" + cast + ", $1) > 0"
	switch {
	case w.Whole && !c.json:
		find = cast + " = $1"
	case s.Dialect == dialect.Postgres:
		find = "position($1 in " + cast + ") > 0"
	}
	//lint:sql the names come from the database's own list of columns
	res, err := s.Raw(ctx).ExecContext(ctx, `UPDATE "`+c.table+`" SET `+name+" = replace("+cast+", $1, $2)"+back+" WHERE "+find, from, to)
	return affected(res, err)
}

// escaped is a text as it stands inside a JSON string.
func escaped(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text always can be
	return strings.Trim(strings.TrimSpace(b.String()), `"`)
}

func affected(res sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// DeleteOf deletes the rows of a table that belong to a person, past the guards.
func (s *Store) DeleteOf(ctx context.Context, table, column string, person ident.ID) (int, error) {
	//lint:sql callers name tables and columns of the schema
	return affected(s.Raw(ctx).ExecContext(ctx, `DELETE FROM "`+table+`" WHERE "`+column+`" = $1`, string(person)))
}

// Redact replaces words in the record of changes, and every value that rows about
// the records in emptied hold. It returns the rows it changed with the digest of what is left
// of each: Redaction says so in the record itself, by which VerifyAudit knows them
// from rows that somebody altered.
func (s *Store) Redact(ctx context.Context, words Words, emptied []ident.ID) (map[string]string, error) {
	out, last := map[string]string{}, ident.ID("")
	ctx = scope.Elevate(ctx)
	for {
		rows, err := s.ClientOf(ctx).ChangeEvent.Query().Where(changeevent.IDGT(last)).Order(changeevent.ByID()).Limit(1000).All(ctx)
		if err != nil || len(rows) == 0 {
			return out, err
		}
		for _, x := range rows {
			last = x.ID
			changed, err := redact(x, words, slices.Contains(emptied, x.EntityID))
			if err != nil {
				return nil, err
			}
			if !changed {
				continue
			}
			if err := s.rewrite(ctx, x); err != nil {
				return nil, err
			}
			if x, err = s.ClientOf(ctx).ChangeEvent.Get(ctx, x.ID); err != nil { // as the verifier will read it
				return nil, err
			}
			content, err := canonical(x)
			if err != nil {
				return nil, err
			}
			out[x.ID.String()] = digest(content)
		}
	}
}

// redact takes the words out of a row and reports whether there was anything.
func redact(x *ent.ChangeEvent, words Words, emptied bool) (bool, error) {
	before, err := canonical(x)
	if err != nil {
		return false, err
	}
	x.ActorName, x.OnBehalfOf, x.Reason = words.In(x.ActorName), words.In(x.OnBehalfOf), words.In(x.Reason)
	for field, d := range x.Diff {
		if field == redactedKey || field == checkpointKey {
			continue
		}
		for i := range d {
			if text, ok := d[i].(string); emptied && ok && text != "" && field != "event" {
				d[i] = "•••"
			}
			d[i] = words.within(d[i])
		}
		x.Diff[field] = d
	}
	after, err := canonical(x)
	return string(before) != string(after), err
}

func (s *Store) rewrite(ctx context.Context, x *ent.ChangeEvent) error {
	diff, err := json.Marshal(x.Diff)
	if err != nil {
		return err
	}
	n, err := affected(s.Raw(ctx).ExecContext(ctx, `UPDATE change_events SET actor_name = $1, on_behalf_of = $2, reason = $3, diff = $4 WHERE id = $5`,
		x.ActorName, x.OnBehalfOf, x.Reason, string(diff), string(x.ID)))
	var denied *pq.Error
	switch {
	case errors.As(err, &denied) && denied.Code == "42501": // a role that can only add, as it should be
		return errs.New(errs.State, "people.erase_role").Wrap(err)
	case err == nil && n != 1:
		return fmt.Errorf("%d rows of %s", n, x.ID)
	}
	return err
}

// Redaction is what an event says of the rows that Redact changed, for its Diff; a
// long list is told by several events.
func Redaction(rows map[string]string) (out []map[string]any) {
	part := map[string]any{}
	for id, left := range rows {
		part[id] = left
		if len(part) == 500 {
			out, part = append(out, map[string]any{redactedKey: part}), map[string]any{}
		}
	}
	if len(part) > 0 || len(out) == 0 {
		out = append(out, map[string]any{redactedKey: part})
	}
	return out
}

// PurgeAudit deletes audit rows from before the time, at most some at a time, with
// their seals, and returns how many and what an event must say of it: from then on
// the chain begins at the checkpoint. The newest seal always stays.
func (s *Store) PurgeAudit(ctx context.Context, before any, most int) (n int, about map[string]any, err error) {
	ctx = scope.Elevate(ctx)
	rows, err := s.Raw(ctx).QueryContext(ctx, `SELECT s.id, s.hash, s.change_id FROM audit_seals s JOIN change_events e ON e.id = s.change_id
WHERE s.id < (SELECT max(id) FROM audit_seals) AND s.id < (SELECT coalesce(min(s2.id), 9223372036854775807) FROM audit_seals s2 JOIN change_events e2 ON e2.id = s2.change_id WHERE e2.at >= $1)
ORDER BY s.id LIMIT $2`, before, most)
	if err != nil {
		return 0, nil, err
	}
	var seal int64
	var hash string
	var ids []ident.ID
	for rows.Next() {
		var id ident.ID
		if err := rows.Scan(&seal, &hash, &id); err != nil {
			rows.Close()
			return 0, nil, err
		}
		ids = append(ids, id)
	}
	if err := rows.Close(); err != nil || len(ids) == 0 {
		return 0, nil, err
	}
	for start := 0; start < len(ids); start += 500 {
		in, args := placeholders(ids[start:min(start+500, len(ids))])
		if _, err := s.Raw(ctx).ExecContext(ctx, "DELETE FROM change_events WHERE id IN ("+in+")", args...); err != nil {
			return 0, nil, err
		}
	}
	if _, err := s.Raw(ctx).ExecContext(ctx, "DELETE FROM audit_seals WHERE id <= $1", seal); err != nil {
		return 0, nil, err
	}
	return len(ids), map[string]any{checkpointKey: map[string]any{"seal": seal, "hash": hash}, "rows": len(ids)}, nil
}

// Blank empties what a person's row says of them but for its name, which Forget has
// replaced, and shuts it; past the guards, so that the audit does not keep what was
// there.
func (s *Store) Blank(ctx context.Context, person ident.ID) error {
	n, err := affected(s.Raw(ctx).ExecContext(ctx, `UPDATE persons SET email = '', title = '', language = NULL, time_zone = 'UTC', custom = NULL, active = false,
archived_at = coalesce(archived_at, $2), version = version + 1 WHERE id = $1`, string(person), now()))
	if err == nil && n != 1 {
		err = fmt.Errorf("%d people with the id %s", n, person)
	}
	return err
}

// own are the tables whose rows are somebody's own: all of such a row is theirs. Of
// any other row that names them only the place is told, as the rest is somebody
// else's affair.
var own = map[string]bool{"persons": true, "person_identities": true, "sessions": true, "api_tokens": true, "memberships": true, "role_grants": true,
	"team_memberships": true, "notifications": true, "saved_views": true, "calendar_feeds": true, "comments": true}

// place are the columns that say which row it is.
var placeColumns = []string{"id", "key", "at", "op", "entity_type", "entity_id", "created_at"}

// About returns every row of every table that names a person, by id or by one of
// the texts in any column, without secrets.
func (s *Store) About(ctx context.Context, person ident.ID, texts ...string) (map[string][]map[string]any, error) {
	list, err := s.texts(ctx)
	if err != nil {
		return nil, err
	}
	columns := map[string][]column{}
	for _, c := range list {
		columns[c.table] = append(columns[c.table], c)
	}
	out := map[string][]map[string]any{}
	for table, cs := range columns {
		if out[table], err = s.about(ctx, table, cs, append([]string{string(person)}, texts...)); err != nil {
			return nil, err
		}
		if len(out[table]) == 0 {
			delete(out, table)
		}
	}
	return out, nil
}

func (s *Store) about(ctx context.Context, table string, columns []column, texts []string) ([]map[string]any, error) {
	var or []string
	var args []any
	for i, t := range texts {
		args = append(args, t)
		for _, c := range columns {
			name := `"` + c.name + `"`
			if s.Dialect == dialect.Postgres {
				or = append(or, fmt.Sprintf("position($%d in %s::text) > 0", i+1, name))
			} else {
				or = append(or, fmt.Sprintf("instr(%s, $%d) > 0", name, i+1))
			}
		}
	}
	//lint:sql the names come from the database's own list of columns
	rows, err := s.Raw(ctx).QueryContext(ctx, `SELECT * FROM "`+table+`" WHERE `+strings.Join(or, " OR ")+" ORDER BY 1", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out []map[string]any
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, name := range names {
			v := values[i]
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			text, isText := v.(string)
			named := isText && slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(text, t) })
			if v != nil && !sensitive(name) && (own[table] || named && table != changeevent.Table || slices.Contains(placeColumns, name)) {
				row[name] = v
			}
		}
		out = append(out, row)
	}
	return out, rows.Err()
}
