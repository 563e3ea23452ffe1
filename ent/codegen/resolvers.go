package main

import (
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
)

// resolvers writes the bodies of the resolvers that need no thought: lists,
// nodes, roots by key and the generated writes. Bodies that a person has edited
// are kept.
type resolvers struct{}

// Name of the gqlgen plugin.
func (resolvers) Name() string { return "resolvers" }

// Implement returns the body of one resolver.
func (resolvers) Implement(previous string, f *codegen.Field) string {
	if previous != "" && !strings.Contains(previous, "not written yet") {
		return previous
	}
	name := f.GoFieldName
	if t, ok := strings.CutSuffix(f.Object.Name, "WhereInput"); ok && name == "CustomField" {
		templates.CurrentImports.Lookup("steward/ent/predicate")
		return fmt.Sprintf("ps, err := customFilter[predicate.%s](ctx, r.Resolver, %q, data)\n\tobj.AddPredicates(ps...)\n\treturn err", t, t)
	}
	if t, ok := strings.CutSuffix(f.Object.Name, "WhereInput"); ok && name == "Tagged" {
		templates.CurrentImports.Lookup("steward/ent/predicate")
		return fmt.Sprintf("ps, err := tagFilter[predicate.%s](ctx, %q, data)\n\tobj.AddPredicates(ps...)\n\treturn err", t, t)
	}
	if f.Object.Name != "Query" && name == "Tags" {
		return fmt.Sprintf("return r.tagsOf(ctx, %q, obj.ID)", f.Object.Name)
	}
	switch f.Object.Name {
	case "Mutation":
		if body := write(name); body != "" {
			return body
		}
	case "Query":
		switch name {
		case "Node":
			return "return r.node(ctx, id)"
		case "Nodes":
			return "return r.nodes(ctx, ids)"
		}
		if t, ok := strings.CutSuffix(f.Type.Name(), "Connection"); ok {
			live := ""
			for _, a := range f.Args {
				if a.Name == "archived" {
					live = fmt.Sprintf(".Where(live[predicate.%s](archived)...)", t)
					templates.CurrentImports.Lookup("steward/ent/predicate")
				}
			}
			return fmt.Sprintf("return r.client(ctx).%s.Query()%s.Paginate(ctx, after, first, before, last, ent.With%sOrder(orderBy), ent.With%sFilter(where.Filter))", t, live, t, t)
		}
		if len(f.Args) == 1 && f.Args[0].Name == "key" {
			t := f.Type.Name()
			return fmt.Sprintf("q, err := r.client(ctx).%s.Query().Where(%s.Key(key)).CollectFields(ctx, %q, \"Node\")\n\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn q.Only(ctx)", t, pkg(t), t)
		}
	}
	return fmt.Sprintf("panic(%q)", "not written yet: "+name)
}

func write(name string) string {
	verb, t := "", ""
	for _, v := range []string{"Create", "Update", "Upsert", "Archive", "Restore"} {
		if rest, ok := strings.CutPrefix(name, v); ok {
			verb, t = v, rest
		}
	}
	store := "store"
	templates.CurrentImports.Lookup("steward/internal/platform/store")
	switch verb {
	case "Create":
		return fmt.Sprintf("return r.client(ctx).%s.Create().SetInput(input).Save(%s.Because(ctx, reason))", t, store)
	case "Update":
		return fmt.Sprintf("n, err := r.client(ctx).%s.UpdateOneID(id).Where(%s.Version(version)).SetInput(input).Save(%s.Because(ctx, reason))\n\treturn n, r.stale(ctx, %q, id, err)", t, pkg(t), store, t)
	case "Upsert":
		return fmt.Sprintf("b := r.client(ctx).%s.Create().SetInput(input)\n\tid, err := r.upsert(%s.Because(ctx, reason), b.Mutation(), b.Exec, source, externalID, version)\n\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn r.client(ctx).%s.Get(ctx, id)", t, store, t)
	case "Archive", "Restore":
		return fmt.Sprintf("if err := r.Store.%s(%s.Because(ctx, reason), %q, id, version); err != nil {\n\t\treturn nil, err\n\t}\n\treturn r.client(ctx).%s.Get(ctx, id)", verb, store, t, t)
	}
	return ""
}

func pkg(name string) string {
	return templates.CurrentImports.Lookup("steward/ent/" + strings.ToLower(name))
}
