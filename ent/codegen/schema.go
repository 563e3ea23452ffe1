package main

import (
	"strings"

	"entgo.io/ent/entc/gen"
	"github.com/vektah/gqlparser/v2/ast"
)

// schemaHook finishes the GraphQL schema that entgql derives from the entities:
// the generated writes, the roots by key, and fewer filter operators.
func schemaHook(g *gen.Graph, s *ast.Schema) error {
	query, mutation := s.Types["Query"], &ast.Definition{Kind: ast.Object, Name: "Mutation"}
	for _, n := range g.Nodes {
		if s.Types[n.Name] == nil {
			continue
		}
		describe(s, n)
		if s.Types["Create"+n.Name+"Input"] != nil {
			mutation.Fields = append(mutation.Fields, writes(n)...)
		}
		if keyed(n) {
			query.Fields = append(query.Fields, &ast.FieldDefinition{
				Name: camel(n.Name), Type: ast.NamedType(n.Name, nil),
				Description: "The " + n.Name + " with this key; archived ones too.",
				Arguments:   ast.ArgumentDefinitionList{argument("key", ast.NonNullNamedType("String", nil))},
			})
		}
	}
	for _, f := range query.Fields {
		if f.Name == "persons" {
			f.Name = "people"
		}
		n := node(g, strings.TrimSuffix(f.Type.Name(), "Connection"))
		if n == nil || !strings.HasSuffix(f.Type.Name(), "Connection") || !archivable(n) {
			continue
		}
		a := argument("archived", ast.NamedType("Boolean", nil))
		a.Description = "Archived rows too."
		f.Arguments = append(f.Arguments, a)
	}
	for _, d := range s.Types {
		if d.Kind == ast.InputObject && strings.HasSuffix(d.Name, "WhereInput") {
			prune(s, d)
		}
	}
	s.Types["Mutation"], s.Mutation = mutation, mutation
	return nil
}

// describe copies the first sentence of what a type is from its schema comment.
func describe(s *ast.Schema, n *gen.Type) {
	for _, f := range s.Types[n.Name].Fields {
		if f.Name == "version" {
			f.Description = "Grows by one with each change; an update names the version it was based on."
		}
	}
}

// writes are the generated mutations of a registry type.
func writes(n *gen.Type) ast.FieldList {
	id := argument("id", ast.NonNullNamedType("ID", nil))
	version := argument("version", ast.NonNullNamedType("Int", nil))
	reason := argument("reason", ast.NamedType("String", nil))
	key := argument("idempotencyKey", ast.NamedType("String", nil))
	object := ast.NonNullNamedType(n.Name, nil)
	fields := ast.FieldList{
		{Name: "create" + n.Name, Type: object, Arguments: ast.ArgumentDefinitionList{
			argument("input", ast.NonNullNamedType("Create"+n.Name+"Input", nil)), reason, key}},
		{Name: "update" + n.Name, Type: object, Arguments: ast.ArgumentDefinitionList{
			id, version, argument("input", ast.NonNullNamedType("Update"+n.Name+"Input", nil)), reason, key}},
	}
	if has(n, "external_id") {
		text := ast.NonNullNamedType("String", nil)
		fields = append(fields, &ast.FieldDefinition{Name: "upsert" + n.Name, Type: object,
			Description: "Creates the " + n.Name + " that a source knows by this id, or makes it what input says; changes nothing where nothing differs. What input leaves out stays as it is.",
			Arguments: ast.ArgumentDefinitionList{argument("source", text), argument("externalId", text),
				argument("version", ast.NamedType("Int", nil)), argument("input", ast.NonNullNamedType("Create"+n.Name+"Input", nil)), reason, key}})
	}
	if archivable(n) {
		fields = append(fields,
			&ast.FieldDefinition{Name: "archive" + n.Name, Type: object, Arguments: ast.ArgumentDefinitionList{id, version, reason, key}},
			&ast.FieldDefinition{Name: "restore" + n.Name, Type: object, Arguments: ast.ArgumentDefinitionList{id, version, reason, key}})
	}
	return fields
}

// prune drops filter operators that invite unindexed scans or that nobody needs.
func prune(s *ast.Schema, d *ast.Definition) {
	var kept ast.FieldList
	for _, f := range d.Fields {
		text := f.Type.Name() == "String" || f.Type.Name() == "ID"
		drop := false
		for _, op := range []string{"HasPrefix", "HasSuffix", "EqualFold"} {
			drop = drop || strings.HasSuffix(f.Name, op)
		}
		if text {
			for _, op := range []string{"GT", "GTE", "LT", "LTE", "Contains"} {
				drop = drop || strings.HasSuffix(f.Name, op)
			}
			drop = drop || f.Type.Name() == "ID" && strings.HasSuffix(f.Name, "ContainsFold")
		}
		if !drop {
			kept = append(kept, f)
		}
	}
	d.Fields = kept
}

func argument(name string, t *ast.Type) *ast.ArgumentDefinition {
	return &ast.ArgumentDefinition{Name: name, Type: t}
}

func node(g *gen.Graph, name string) *gen.Type {
	for _, n := range g.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

func has(n *gen.Type, field string) bool {
	for _, f := range n.Fields {
		if f.Name == field {
			return true
		}
	}
	return false
}

func keyed(n *gen.Type) bool      { return has(n, "key") }
func archivable(n *gen.Type) bool { return has(n, "archived_at") }

func camel(name string) string { return strings.ToLower(name[:1]) + name[1:] }
