package importer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
)

// maxParams keeps statements below the bound of both databases (SQLite 32,766,
// PostgreSQL 65,535).
const maxParams = 30_000

// updateSQL builds UPDATE statements that set columns of many rows at once. Each
// row begins with its id. With bump the version and the stamps follow.
func (t *table) updateSQL(dialectName string, columns []string, rows [][]any, bump string, run func(q string, args []any) error) error {
	cast := []string{"text"}
	sets := make([]string, len(columns))
	for i, c := range columns {
		cast = append(cast, t.cast(t.index(c)))
		sets[i] = `"` + c + `" = v."` + c + `"`
	}
	for chunk := range slices.Chunk(rows, (maxParams-2)/(len(columns)+1)) {
		var q strings.Builder
		q.WriteString(`WITH v (` + quoted(append([]string{"id"}, columns...)) + `) AS (VALUES `)
		args := make([]any, 0, len(chunk)*(len(columns)+1))
		for r, row := range chunk {
			if r > 0 {
				q.WriteByte(',')
				args = values(&q, row, args, nil)
			} else if dialectName == dialect.SQLite { // a CAST would make numbers of dates
				args = values(&q, row, args, nil)
			} else {
				args = values(&q, row, args, cast)
			}
		}
		set := sets
		if bump != "" && t.Versioned {
			args = append(args, time.Now().UTC().Truncate(time.Microsecond), bump)
			set = append(slices.Clone(sets), "version = "+t.Table+".version + 1",
				"updated_at = $"+strconv.Itoa(len(args)-1), "updated_by = $"+strconv.Itoa(len(args)))
			if bump == nobody {
				args[len(args)-1] = ""
			}
		}
		q.WriteString(`) UPDATE ` + t.Table + ` SET ` + strings.Join(set, ", ") + ` FROM v WHERE ` + t.Table + `.id = v.id`)
		if err := run(q.String(), args); err != nil {
			return err
		}
	}
	return nil
}

// nobody stands for the empty id of the system where "" means no stamp at all.
const nobody = "-"

// values writes "($1, $2, …)" for a row and appends its arguments.
func values(q *strings.Builder, row, args []any, cast []string) []any {
	q.WriteByte('(')
	for i, v := range row {
		if i > 0 {
			q.WriteByte(',')
		}
		args = append(args, param(v))
		if cast != nil {
			q.WriteString("CAST($" + strconv.Itoa(len(args)) + " AS " + cast[i] + ")")
		} else {
			q.WriteString("$" + strconv.Itoa(len(args)))
		}
	}
	q.WriteByte(')')
	return args
}

func quoted(columns []string) string { return `"` + strings.Join(columns, `", "`) + `"` }

// marks returns "$from, $from+1, …" for n arguments.
func marks(from, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.Join(out, ", ")
}

// spell writes a statement's placeholders as the database likes them. Numbered
// ones are names to SQLite, which looks each up among all others: with thousands
// of them a statement takes a minute instead of a tenth of a second. All
// statements here use each placeholder once and in order.
func spell(dialectName, q string) string {
	if dialectName != dialect.SQLite {
		return q
	}
	var b strings.Builder
	b.Grow(len(q))
	for i := 0; i < len(q); i++ {
		if q[i] != '$' {
			b.WriteByte(q[i])
			continue
		}
		b.WriteByte('?')
		for i+1 < len(q) && q[i+1] >= '0' && q[i+1] <= '9' {
			i++
		}
	}
	return b.String()
}

// idChunk is how many values one IN list holds.
const idChunk = 5000

// args turns ids into driver arguments.
func args[S ~string](list []S) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
